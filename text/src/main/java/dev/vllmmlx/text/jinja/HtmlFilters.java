package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Signature.Bound;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.StringJoiner;

/** Filters that make or unmake HTML, URLs and JSON. */
final class HtmlFilters {
  private HtmlFilters() {}

  static void addTo(Map<String, TemplateFunction> filters) {
    var escape = Signature.positional("escape", "s").with(a -> Markup.escape(a.get(0)));
    filters.put("escape", escape);
    filters.put("e", escape);
    filters.put(
        "forceescape",
        Signature.of("do_forceescape", "value")
            .with(a -> new Markup(Markup.escapeText(a.text(0)))));
    filters.put("safe", Signature.of("do_mark_safe", "value").with(a -> new Markup(a.text(0))));
    filters.put(
        "striptags", Signature.of("do_striptags", "value").with(a -> StripTags.of(a.text(0))));
    filters.put("urlencode", Signature.of("do_urlencode", "value").with(HtmlFilters::urlEncode));
    filters.put(
        "urlize",
        Signature.of(
                "do_urlize",
                "value",
                "trim_url_limit=",
                "nofollow=",
                "target=",
                "rel=",
                "extra_schemes=")
            .with(Urlize::filter));
    filters.put(
        "xmlattr", Signature.of("do_xmlattr", "d", "autospace=").with(HtmlFilters::xmlAttributes));
    filters.put(
        "tojson", Signature.of("do_tojson", "value", "indent=").with(HtmlFilters::safeJson));
  }

  private static Object urlEncode(Bound arguments) {
    var value = arguments.get(0);
    if (PyValues.isText(value) || PyValues.iterateOrNull(value) == null) {
      return quote(arguments.text(0), "/");
    }
    var pairs = value instanceof Dict dict ? dict.items().iterator() : PyValues.iterate(value);
    var query = new StringJoiner("&");
    while (pairs.hasNext()) {
      arguments.evaluation().step();
      var next = pairs.next();
      if (PyValues.iterateOrNull(next) == null) {
        throw TemplateException.type(
            "cannot unpack non-iterable " + PyTypes.name(next) + " object");
      }
      var pair = SequenceFilters.toList(arguments.evaluation(), next);
      if (pair.size() != 2) {
        throw TemplateException.value(
            pair.size() < 2
                ? "not enough values to unpack (expected 2, got " + pair.size() + ")"
                : "too many values to unpack (expected 2)");
      }
      query.add(
          quote(PyRepr.str(pair.get(0)), "").replace("%20", "+")
              + "="
              + quote(PyRepr.str(pair.get(1)), "").replace("%20", "+"));
    }
    return query.toString();
  }

  private static String quote(String text, String safe) {
    var out = new StringBuilder();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      boolean plain =
          c < 0x80
              && (Character.isLetterOrDigit(c) || "_.-~".indexOf(c) >= 0 || safe.indexOf(c) >= 0);
      if (plain) {
        out.append(c);
      } else {
        out.append("%%%02X".formatted((int) c));
      }
    }
    return out.toString();
  }

  private static Object xmlAttributes(Bound arguments) {
    var value = arguments.get(0);
    PyValues.requireDefined(value);
    if (!(value instanceof Dict dict)) {
      throw new TemplateException(
          TemplateException.Kind.ATTRIBUTE,
          "'" + PyTypes.name(value) + "' object has no attribute 'items'");
    }
    var attributes = new StringJoiner(" ");
    for (var key : dict.keys()) {
      var attribute = dict.get(key);
      if (attribute == null || attribute instanceof Undefined) {
        continue;
      }
      if (!PyValues.isText(key)) {
        throw TemplateException.type(
            "expected string or bytes-like object, got '" + PyTypes.name(key) + "'");
      }
      if (PyRepr.str(key).chars().anyMatch(c -> " \t\n\r\f\u000b/>=".indexOf(c) >= 0)) {
        throw TemplateException.value("Invalid character in attribute name: " + PyRepr.repr(key));
      }
      attributes.add(Markup.escape(key).text() + "=\"" + Markup.escape(attribute).text() + "\"");
    }
    var text = attributes.toString();
    text = arguments.truth(1, true) && !text.isEmpty() ? " " + text : text;
    return arguments.evaluation().autoescape() ? new Markup(text) : text;
  }

  private static Object safeJson(Bound arguments) {
    return new Markup(
        new JsonText(true, arguments.get(1, null), null, true)
            .write(arguments.get(0))
            .replace("<", "\\u003c")
            .replace(">", "\\u003e")
            .replace("&", "\\u0026")
            .replace("'", "\\u0027"));
  }
}
