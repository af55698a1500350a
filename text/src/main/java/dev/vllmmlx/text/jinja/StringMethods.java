package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Signature.Bound;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The methods of {@code str}. Positions and widths count code points. */
final class StringMethods {
  @FunctionalInterface
  private interface Method {
    Object apply(String self, Bound arguments);
  }

  private record Entry(Signature signature, Method method) {}

  private static final Map<String, Entry> METHODS = methods();

  private StringMethods() {}

  /** Null if there is no such method. */
  static TemplateFunction of(String self, String name) {
    if (name.equals("format")) {
      return arguments -> StrFormat.format(self, arguments);
    }
    if (name.equals("format_map")) {
      return arguments -> StrFormat.formatMap(self, arguments);
    }
    var entry = METHODS.get(name);
    return entry == null
        ? null
        : arguments -> entry.method().apply(self, entry.signature().bind(arguments));
  }

  /** Markup's methods escape what they take in and give markup. */
  static TemplateFunction of(Markup self, String name) {
    var method = of(self.text(), name);
    if (method == null) {
      return null;
    }
    return switch (name) {
      case "replace", "join", "format", "ljust", "rjust", "center" ->
          arguments -> markup(method.call(escaped(arguments, name)));
      default -> arguments -> markup(method.call(arguments));
    };
  }

  private static Object markup(Object result) {
    return switch (result) {
      case String text -> new Markup(text);
      case List<?> list -> list.stream().map(StringMethods::markup).toList();
      case Tuple tuple -> Tuple.of(tuple.items().stream().map(StringMethods::markup).toList());
      case null, default -> result;
    };
  }

  private static Arguments escaped(Arguments arguments, String name) {
    var positional = new ArrayList<>(arguments.positional());
    var named = new HashMap<>(arguments.named());
    switch (name) {
      case "format" -> {
        positional.replaceAll(StringMethods::escapeText);
        named.replaceAll((_, value) -> escapeText(value));
      }
      case "join" -> positional.replaceAll(StringMethods::escapeItems);
      default -> {
        if (positional.size() > 1) {
          positional.set(1, Markup.escape(positional.get(1)).text());
        }
      }
    }
    return new Arguments(arguments.evaluation(), positional, named);
  }

  private static Object escapeText(Object value) {
    return PyValues.isText(value) ? Markup.escape(value).text() : value;
  }

  private static Object escapeItems(Object items) {
    var escaped = new ArrayList<Object>();
    PyValues.iterate(items).forEachRemaining(item -> escaped.add(Markup.escape(item).text()));
    return escaped;
  }

  private static Map<String, Entry> methods() {
    var methods = new HashMap<String, Entry>();
    add(methods, "upper", (s, _) -> PyCase.upper(s));
    add(methods, "lower", (s, _) -> PyCase.lower(s));
    add(methods, "casefold", (s, _) -> PyCase.fold(s));
    add(methods, "title", (s, _) -> PyCase.title(s));
    add(methods, "capitalize", (s, _) -> PyCase.capitalize(s));
    add(methods, "swapcase", (s, _) -> PyCase.swap(s));
    for (var name : PyCase.PREDICATES) {
      add(methods, name, (s, _) -> PyCase.is(name, s));
    }
    add(methods, "strip", (s, a) -> PyStrings.strip(s, chars(a, "strip")), "chars=");
    add(methods, "lstrip", (s, a) -> PyStrings.lstrip(s, chars(a, "lstrip")), "chars=");
    add(methods, "rstrip", (s, a) -> PyStrings.rstrip(s, chars(a, "rstrip")), "chars=");
    keyworded(methods, "split", StringMethods::split, "sep=", "maxsplit=");
    keyworded(methods, "rsplit", StringMethods::rsplit, "sep=", "maxsplit=");
    keyworded(
        methods, "splitlines", (s, a) -> PyStrings.splitLines(s, a.truth(0, false)), "keepends=");
    keyworded(methods, "expandtabs", StringMethods::expandTabs, "tabsize=");
    add(methods, "join", (s, a) -> join(a.evaluation(), s, a.get(0)), "iterable");
    add(methods, "replace", StringMethods::replace, "old", "new", "count=");
    add(methods, "startswith", (s, a) -> affix(s, a, true), "prefix", "start=", "end=");
    add(methods, "endswith", (s, a) -> affix(s, a, false), "suffix", "start=", "end=");
    add(methods, "removeprefix", StringMethods::removePrefix, "prefix");
    add(methods, "removesuffix", StringMethods::removeSuffix, "suffix");
    add(methods, "find", (s, a) -> StringSearch.find(s, a, false), "sub", "start=", "end=");
    add(methods, "rfind", (s, a) -> StringSearch.find(s, a, true), "sub", "start=", "end=");
    add(methods, "index", (s, a) -> StringSearch.index(s, a, false), "sub", "start=", "end=");
    add(methods, "rindex", (s, a) -> StringSearch.index(s, a, true), "sub", "start=", "end=");
    add(methods, "count", StringSearch::count, "sub", "start=", "end=");
    add(methods, "partition", (s, a) -> partition(s, text(a, 0)), "sep");
    add(methods, "rpartition", (s, a) -> rpartition(s, text(a, 0)), "sep");
    add(methods, "zfill", StringMethods::zfill, "width");
    add(methods, "center", (s, a) -> pad(s, a, 'c'), "width", "fillchar=");
    add(methods, "ljust", (s, a) -> pad(s, a, 'l'), "width", "fillchar=");
    add(methods, "rjust", (s, a) -> pad(s, a, 'r'), "width", "fillchar=");
    return Map.copyOf(methods);
  }

  private static void add(
      Map<String, Entry> methods, String name, Method method, String... parameters) {
    methods.put(name, new Entry(Signature.positional("str." + name, parameters), method));
  }

  private static void keyworded(
      Map<String, Entry> methods, String name, Method method, String... parameters) {
    methods.put(name, new Entry(Signature.of("str." + name, parameters), method));
  }

  static String text(Bound arguments, int index) {
    return text(arguments.get(index));
  }

  static String text(Object value) {
    if (!PyValues.isText(value)) {
      throw TemplateException.type("must be str, not " + PyTypes.name(value));
    }
    return PyRepr.str(value);
  }

  private static String chars(Bound arguments, String method) {
    var chars = arguments.get(0, null);
    if (chars != null && !PyValues.isText(chars)) {
      throw TemplateException.type(method + " arg must be None or str");
    }
    return chars == null ? null : PyRepr.str(chars);
  }

  private static Object split(String self, Bound arguments) {
    var separator = arguments.get(0, null);
    long max = arguments.integer(1, -1);
    arguments.evaluation().allocate(self.length());
    return separator == null
        ? PyStrings.splitSpace(self, max)
        : PyStrings.split(self, text(separator), max);
  }

  private static Object rsplit(String self, Bound arguments) {
    var separator = arguments.get(0, null);
    long max = arguments.integer(1, -1);
    arguments.evaluation().allocate(self.length());
    return separator == null
        ? PyStrings.splitSpaceFromRight(self, max)
        : PyStrings.splitFromRight(self, text(separator), max);
  }

  private static Object expandTabs(String self, Bound arguments) {
    long size = arguments.integer(0, 8);
    var out = new StringBuilder();
    long column = 0;
    for (int i = 0; i < self.length(); ) {
      int c = self.codePointAt(i);
      i += Character.charCount(c);
      if (c == '\t') {
        long spaces = size <= 0 ? 0 : size - column % size;
        arguments.evaluation().allocate(out.length() + spaces);
        out.repeat(' ', (int) spaces);
        column += spaces;
      } else {
        out.appendCodePoint(c);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
      }
    }
    return out.toString();
  }

  static String join(Evaluation evaluation, String separator, Object iterable) {
    var items = PyValues.iterateOrNull(iterable);
    if (items == null) {
      throw TemplateException.type("can only join an iterable");
    }
    var out = new StringBuilder();
    for (int i = 0; items.hasNext(); i++) {
      var item = items.next();
      if (!PyValues.isText(item)) {
        throw TemplateException.type(
            "sequence item " + i + ": expected str instance, " + PyTypes.name(item) + " found");
      }
      var text = PyRepr.str(item);
      evaluation.step();
      if (i > 0) {
        out.append(separator);
      }
      out.append(text);
      if (out.length() > evaluation.limits().valueCharacters()) {
        evaluation.allocate(out.length());
      }
    }
    evaluation.allocate(out.length());
    return out.toString();
  }

  private static Object replace(String self, Bound arguments) {
    return replace(
        arguments.evaluation(),
        self,
        text(arguments, 0),
        text(arguments, 1),
        arguments.integer(2, -1));
  }

  /** {@code count} negative means all. */
  static String replace(
      Evaluation evaluation, String self, String old, String replacement, long count) {
    long left = count < 0 ? Long.MAX_VALUE : count;
    var out = new StringBuilder();
    int at = 0;
    while (left > 0) {
      int found = self.indexOf(old, at);
      if (found < 0) {
        break;
      }
      out.append(self, at, found).append(replacement);
      at = found + old.length();
      left--;
      if (old.isEmpty()) {
        if (at >= self.length()) {
          break;
        }
        int next = self.offsetByCodePoints(at, 1);
        out.append(self, at, next);
        at = next;
      }
      if (out.length() > evaluation.limits().valueCharacters()) {
        break;
      }
    }
    evaluation.allocate((long) out.length() + self.length() - at);
    return out.append(self, at, self.length()).toString();
  }

  private static Object affix(String self, Bound arguments, boolean prefix) {
    var part = StringSearch.part(self, arguments);
    if (part == null) {
      return false;
    }
    if (arguments.get(0) instanceof Tuple tuple) {
      return tuple.items().stream()
          .anyMatch(item -> hasAffix(part, affixText(item, prefix), prefix));
    }
    return hasAffix(part, affixText(arguments.get(0), prefix), prefix);
  }

  private static boolean hasAffix(String text, String affix, boolean prefix) {
    return prefix ? text.startsWith(affix) : text.endsWith(affix);
  }

  private static String affixText(Object value, boolean prefix) {
    if (!PyValues.isText(value)) {
      throw TemplateException.type(
          (prefix ? "startswith" : "endswith")
              + " first arg must be str or a tuple of str, not "
              + PyTypes.name(value));
    }
    return PyRepr.str(value);
  }

  private static Object removePrefix(String self, Bound arguments) {
    var prefix = text(arguments, 0);
    return self.startsWith(prefix) ? self.substring(prefix.length()) : self;
  }

  private static Object removeSuffix(String self, Bound arguments) {
    var suffix = text(arguments, 0);
    return self.endsWith(suffix) ? self.substring(0, self.length() - suffix.length()) : self;
  }

  private static Object partition(String self, String separator) {
    requireSeparator(separator);
    int at = self.indexOf(separator);
    return at < 0
        ? Tuple.of(self, "", "")
        : Tuple.of(self.substring(0, at), separator, self.substring(at + separator.length()));
  }

  private static Object rpartition(String self, String separator) {
    requireSeparator(separator);
    int at = self.lastIndexOf(separator);
    return at < 0
        ? Tuple.of("", "", self)
        : Tuple.of(self.substring(0, at), separator, self.substring(at + separator.length()));
  }

  private static void requireSeparator(String separator) {
    if (separator.isEmpty()) {
      throw TemplateException.value("empty separator");
    }
  }

  private static Object zfill(String self, Bound arguments) {
    long missing = arguments.integer(0, 0) - PyStrings.length(self);
    if (missing <= 0) {
      return self;
    }
    arguments.evaluation().allocate(self.length() + missing);
    boolean signed = self.startsWith("-") || self.startsWith("+");
    var zeros = "0".repeat((int) missing);
    return signed ? self.charAt(0) + zeros + self.substring(1) : zeros + self;
  }

  private static Object pad(String self, Bound arguments, char alignment) {
    var fill = arguments.has(1) ? text(arguments, 1) : " ";
    if (PyStrings.length(fill) != 1) {
      throw TemplateException.type("The fill character must be exactly one character long");
    }
    return pad(arguments.evaluation(), self, arguments.integer(0, 0), fill, alignment);
  }

  /** Alignment: l(eft), r(ight) or c(enter). */
  static String pad(Evaluation evaluation, String self, long width, String fill, char alignment) {
    long missing = width - PyStrings.length(self);
    if (missing <= 0) {
      return self;
    }
    evaluation.allocate(self.length() + missing * fill.length());
    long left =
        switch (alignment) {
          case 'l' -> 0;
          case 'r' -> missing;
          default -> missing / 2 + (missing & width & 1);
        };
    return fill.repeat((int) left) + self + fill.repeat((int) (missing - left));
  }
}
