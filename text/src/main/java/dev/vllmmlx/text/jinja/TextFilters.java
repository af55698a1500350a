package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Signature.Bound;
import java.util.Map;
import java.util.regex.Pattern;

/** Filters of strings. */
final class TextFilters {
  private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

  private TextFilters() {}

  static void addTo(Map<String, TemplateFunction> filters) {
    filters.put("upper", soft("do_upper", "upper"));
    filters.put("lower", soft("do_lower", "lower"));
    filters.put("capitalize", soft("do_capitalize", "capitalize"));
    filters.put("title", Signature.of("do_title", "s").with(a -> like(a.get(0), title(a.text(0)))));
    filters.put("trim", Signature.of("do_trim", "value", "chars=").with(TextFilters::trim));
    filters.put("string", Signature.of("soft_str", "s").with(TextFilters::string));
    filters.put(
        "replace",
        Signature.of("do_replace", "s", "old", "new", "count=").with(TextFilters::replace));
    filters.put("center", Signature.of("do_center", "value", "width=").with(TextFilters::center));
    filters.put(
        "indent",
        Signature.of("do_indent", "s", "width=", "first=", "blank=").with(TextFilters::indent));
    filters.put(
        "truncate",
        Signature.of("do_truncate", "s", "length=", "killwords=", "end=", "leeway=")
            .with(TextFilters::truncate));
    filters.put(
        "wordwrap",
        Signature.of(
                "do_wordwrap",
                "s",
                "width=",
                "break_long_words=",
                "wrapstring=",
                "break_on_hyphens=")
            .with(TextFilters::wordWrap));
    filters.put(
        "wordcount",
        Signature.of("do_wordcount", "s").with(a -> WORD.matcher(a.text(0)).results().count()));
    filters.put("format", TextFilters::format);
    filters.put(
        "pprint", Signature.of("do_pprint", "value").with(a -> PrettyPrint.format(a.get(0))));
  }

  /** A filter that is a method of {@code str}, of whatever is given turned into one. */
  private static TemplateFunction soft(String function, String method) {
    var signature = Signature.of(function, "s");
    return arguments -> {
      var value = signature.bind(arguments).get(0);
      var none = new Arguments(arguments.evaluation(), java.util.List.of(), Map.of());
      return value instanceof Markup markup
          ? StringMethods.of(markup, method).call(none)
          : StringMethods.of(PyRepr.str(value), method).call(none);
    };
  }

  /** Markup if the original was. */
  private static Object like(Object original, String text) {
    return original instanceof Markup ? new Markup(text) : text;
  }

  private static Object string(Bound arguments) {
    return arguments.get(0) instanceof Markup ? arguments.get(0) : arguments.text(0);
  }

  private static String title(String text) {
    var out = new StringBuilder(text.length());
    boolean start = true;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (PyStrings.isSpace(c) || "-({[<".indexOf(c) >= 0) {
        out.appendCodePoint(c);
        start = true;
      } else {
        var single = Character.toString(c);
        out.append(start ? PyCase.upper(single) : PyCase.lower(single));
        start = false;
      }
    }
    return out.toString();
  }

  private static Object trim(Bound arguments) {
    var chars = arguments.get(1, null);
    if (chars != null && !PyValues.isText(chars)) {
      throw TemplateException.type("strip arg must be None or str");
    }
    var text = arguments.text(0);
    return like(arguments.get(0), PyStrings.strip(text, chars == null ? null : PyRepr.str(chars)));
  }

  private static Object replace(Bound arguments) {
    long count = arguments.get(3, null) == null ? -1 : arguments.integer(3, -1);
    if (!arguments.evaluation().autoescape()) {
      return StringMethods.replace(
          arguments.evaluation(), arguments.text(0), arguments.text(1), arguments.text(2), count);
    }
    boolean escapes =
        arguments.get(1) instanceof Markup
            || arguments.get(2) instanceof Markup && !(arguments.get(0) instanceof Markup);
    if (!escapes && !(arguments.get(0) instanceof Markup)) {
      return StringMethods.replace(
          arguments.evaluation(), arguments.text(0), arguments.text(1), arguments.text(2), count);
    }
    return new Markup(
        StringMethods.replace(
            arguments.evaluation(),
            Markup.escape(arguments.get(0)).text(),
            arguments.text(1),
            Markup.escape(arguments.get(2)).text(),
            count));
  }

  private static Object center(Bound arguments) {
    var text =
        StringMethods.pad(
            arguments.evaluation(), arguments.text(0), arguments.integer(1, 80), " ", 'c');
    return like(arguments.get(0), text);
  }

  private static Object indent(Bound arguments) {
    var evaluation = arguments.evaluation();
    var value = arguments.get(0);
    PyValues.requireDefined(value);
    if (value instanceof java.util.List<?> && !(value instanceof Range)) {
      throw new TemplateException(
          TemplateException.Kind.ATTRIBUTE, "'list' object has no attribute 'splitlines'");
    }
    if (!PyValues.isText(value)) {
      throw TemplateException.type(
          value instanceof Tuple
              ? "can only concatenate tuple (not \"str\") to tuple"
              : "unsupported operand type(s) for +=: '" + PyTypes.name(value) + "' and 'str'");
    }
    var width = arguments.get(1, 4L);
    String indention;
    if (PyValues.isText(width)) {
      indention = PyRepr.str(width);
    } else {
      long spaces = Math.max(0, PyNumbers.toIndex(width));
      evaluation.allocate(spaces);
      indention = " ".repeat((int) spaces);
    }
    boolean blank = arguments.truth(3, false);
    var lines = PyStrings.splitLines(arguments.text(0) + "\n", false);
    var out = new StringBuilder(arguments.truth(2, false) ? indention : "");
    for (int i = 0; i < lines.size(); i++) {
      var line = (String) lines.get(i);
      if (i > 0) {
        out.append('\n').append(blank || !line.isEmpty() ? indention : "");
      }
      out.append(line);
      evaluation.allocate(line.length() + indention.length());
      if (out.length() > evaluation.limits().valueCharacters()) {
        evaluation.allocate(out.length());
      }
    }
    return like(value, out.toString());
  }

  private static Object truncate(Bound arguments) {
    long length = arguments.integer(1, 255);
    var end = arguments.get(3, "...");
    long leeway = arguments.get(4, null) == null ? 5 : arguments.integer(4, 5);
    long endLength = PyValues.length(end);
    if (length < endLength) {
      throw new TemplateException(
          TemplateException.Kind.ASSERTION, "expected length >= " + endLength + ", got " + length);
    }
    if (leeway < 0) {
      throw new TemplateException(
          TemplateException.Kind.ASSERTION, "expected leeway >= 0, got " + leeway);
    }
    var value = arguments.get(0);
    if (PyValues.length(value) <= length + leeway) {
      return value;
    }
    if (!PyValues.isText(value)) {
      throw TemplateException.type(PyTypes.name(value) + " cannot be truncated");
    }
    var text = arguments.text(0);
    var cut = text.substring(0, PyStrings.offset(text, (int) (length - endLength)));
    if (!arguments.truth(2, false)) {
      int space = cut.lastIndexOf(' ');
      cut = space < 0 ? cut : cut.substring(0, space);
    }
    return like(value, cut + PyRepr.str(end));
  }

  private static Object wordWrap(Bound arguments) {
    var value = arguments.get(0);
    PyValues.requireDefined(value);
    if (!PyValues.isText(value)) {
      throw new TemplateException(
          TemplateException.Kind.ATTRIBUTE,
          "'" + PyTypes.name(value) + "' object has no attribute 'splitlines'");
    }
    long width = arguments.integer(1, 79);
    var wrap =
        new WordWrap(
            (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, width)),
            arguments.truth(2, true),
            arguments.truth(4, true));
    var separator = arguments.get(3, null);
    var lines = new java.util.ArrayList<Object>();
    var joiner = separator == null ? "\n" : StringMethods.text(separator);
    for (var line : PyStrings.splitLines(arguments.text(0), false)) {
      lines.add(String.join(joiner, wrap.wrap((String) line)));
    }
    return StringMethods.join(arguments.evaluation(), joiner, lines);
  }

  private static Object format(Arguments arguments) {
    var positional = arguments.positional();
    var values = Tuple.of(positional.subList(1, positional.size()));
    if (!values.items().isEmpty() && !arguments.named().isEmpty()) {
      throw new TemplateException(
          TemplateException.Kind.FILTER_ARGUMENT,
          "can't handle positional and keyword arguments at the same time");
    }
    Object operand = values;
    if (!arguments.named().isEmpty()) {
      var dict = new Dict();
      arguments.named().forEach(dict::put);
      operand = dict;
    }
    var value = positional.getFirst();
    return new PyArithmetic(arguments.evaluation())
        .modulo(value instanceof Markup ? value : PyRepr.str(value), operand);
  }
}
