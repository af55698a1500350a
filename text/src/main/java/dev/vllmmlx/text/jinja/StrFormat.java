package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.TemplateException.Kind;

/** {@code str.format}, with fields looked up as the sandbox allows. */
final class StrFormat {
  private final Arguments arguments;
  private int nextIndex;
  private boolean numbered;

  private StrFormat(Arguments arguments) {
    this.arguments = arguments;
  }

  static String format(String self, Arguments arguments) {
    return new StrFormat(arguments).format(self, 2);
  }

  static String formatMap(String self, Arguments arguments) {
    var mapping = Signature.positional("format_map", "mapping").bind(arguments).get(0);
    var named = new java.util.LinkedHashMap<String, Object>();
    if (mapping instanceof Dict dict) {
      dict.keys().forEach(key -> named.put(PyRepr.str(key), dict.get(key)));
    }
    var spread = new Arguments(arguments.evaluation(), java.util.List.of(), named);
    return new StrFormat(spread).format(self, 2);
  }

  private String format(String format, int depth) {
    if (depth < 0) {
      throw TemplateException.value("Max string recursion exceeded");
    }
    var out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      char next = i + 1 < format.length() ? format.charAt(i + 1) : 0;
      if (c == '{' && next == '{' || c == '}' && next == '}') {
        out.append(c);
        i++;
      } else if (c == '}') {
        throw TemplateException.value("Single '}' encountered in format string");
      } else if (c == '{') {
        if (next == 0) {
          throw TemplateException.value("Single '{' encountered in format string");
        }
        int end = fieldEnd(format, i + 1);
        out.append(field(format.substring(i + 1, end), depth));
        i = end;
      } else {
        out.append(c);
      }
    }
    arguments.evaluation().allocate(out.length());
    return out.toString();
  }

  private static int fieldEnd(String format, int start) {
    int depth = 1;
    for (int i = start; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c == '{') {
        depth++;
      } else if (c == '}' && --depth == 0) {
        return i;
      }
    }
    throw TemplateException.value("expected '}' before end of string");
  }

  private String field(String field, int depth) {
    int end = 0;
    int brackets = 0;
    while (end < field.length()) {
      char c = field.charAt(end);
      if (c == '[') {
        brackets++;
      } else if (c == ']') {
        brackets--;
      } else if (brackets <= 0 && (c == ':' || c == '!')) {
        break;
      }
      end++;
    }
    var name = field.substring(0, end);
    char conversion = 0;
    if (end < field.length() && field.charAt(end) == '!') {
      if (end + 1 >= field.length()) {
        throw TemplateException.value("end of string while looking for conversion specifier");
      }
      conversion = field.charAt(end + 1);
      end += 2;
      if (end < field.length() && field.charAt(end) != ':') {
        throw TemplateException.value("expected ':' after conversion specifier");
      }
    }
    var spec = end < field.length() ? field.substring(end + 1) : "";
    var value = convert(lookUp(name), conversion);
    return FormatSpec.format(arguments.evaluation(), value, format(spec, depth - 1));
  }

  private static Object convert(Object value, char conversion) {
    return switch (conversion) {
      case 0 -> value;
      case 's' -> PyRepr.str(value);
      case 'r' -> PyRepr.repr(value);
      case 'a' -> PyRepr.ascii(value);
      default -> throw TemplateException.value("Unknown conversion specifier " + conversion);
    };
  }

  private Object lookUp(String name) {
    int end = 0;
    while (end < name.length() && name.charAt(end) != '.' && name.charAt(end) != '[') {
      end++;
    }
    var value = first(name.substring(0, end));
    while (end < name.length()) {
      if (name.charAt(end) == '.') {
        int start = ++end;
        while (end < name.length() && name.charAt(end) != '.' && name.charAt(end) != '[') {
          end++;
        }
        requireName(start < end);
        value = PyAttributes.attribute(value, name.substring(start, end));
      } else {
        int close = name.indexOf(']', end);
        if (close < 0) {
          throw TemplateException.value("Missing ']' in format string");
        }
        var key = name.substring(end + 1, close);
        requireName(!key.isEmpty());
        value = PyAttributes.item(value, isNumber(key) ? (Object) Long.valueOf(key) : key);
        end = close + 1;
      }
    }
    return value;
  }

  private static void requireName(boolean given) {
    if (!given) {
      throw TemplateException.value("Empty attribute in format string");
    }
  }

  private static boolean isNumber(String text) {
    return !text.isEmpty()
        && text.length() < 10
        && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private Object first(String name) {
    if (name.isEmpty()) {
      if (numbered) {
        throw TemplateException.value(
            "cannot switch from manual field specification to automatic field numbering");
      }
      return positional(nextIndex++);
    }
    if (isNumber(name)) {
      if (nextIndex > 0) {
        throw TemplateException.value(
            "cannot switch from manual field specification to automatic field numbering");
      }
      numbered = true;
      return positional(Integer.parseInt(name));
    }
    if (!arguments.named().containsKey(name)) {
      throw new TemplateException(Kind.KEY, PyRepr.repr(name));
    }
    return arguments.named().get(name);
  }

  private Object positional(int index) {
    if (index >= arguments.positional().size()) {
      throw new TemplateException(
          Kind.INDEX, "Replacement index " + index + " out of range for positional args tuple");
    }
    return arguments.positional().get(index);
  }
}
