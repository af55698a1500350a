package dev.vllmmlx.text.jinja;

/** A string that is marked as HTML: what is joined to it is escaped first. */
record Markup(String text) {

  /** Escapes anything that is not markup already. */
  static Markup escape(Object value) {
    return value instanceof Markup markup ? markup : new Markup(escapeText(PyRepr.str(value)));
  }

  static String escapeText(String text) {
    var out = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '\'' -> out.append("&#39;");
        case '"' -> out.append("&#34;");
        default -> out.append(c);
      }
    }
    return out.toString();
  }
}
