package dev.vllmmlx.text.jinja;

import java.util.Map;
import java.util.regex.Pattern;

/** {@code striptags}: text without comments, tags and runs of space, entities resolved. */
final class StripTags {
  private static final Pattern ENTITY =
      Pattern.compile("&(#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,7}|[a-zA-Z]{2,8});");
  private static final Map<String, String> NAMED =
      Map.ofEntries(
          Map.entry("amp", "&"),
          Map.entry("lt", "<"),
          Map.entry("gt", ">"),
          Map.entry("quot", "\""),
          Map.entry("apos", "'"),
          Map.entry("nbsp", "\u00a0"),
          Map.entry("copy", "\u00a9"),
          Map.entry("reg", "\u00ae"),
          Map.entry("raquo", "\u00bb"),
          Map.entry("laquo", "\u00ab"),
          Map.entry("hellip", "\u2026"),
          Map.entry("mdash", "\u2014"),
          Map.entry("ndash", "\u2013"));

  private StripTags() {}

  static String of(String html) {
    var text = without(without(html, "<!--", "-->"), "<", ">");
    var words = PyStrings.splitSpace(text, -1);
    return unescape(String.join(" ", words.stream().map(Object::toString).toList()));
  }

  private static String without(String text, String open, String close) {
    var out = new StringBuilder();
    int at = 0;
    while (true) {
      int start = text.indexOf(open, at);
      int end = start < 0 ? -1 : text.indexOf(close, start);
      if (end < 0) {
        return out.append(text, at, text.length()).toString();
      }
      out.append(text, at, start);
      at = end + close.length();
    }
  }

  private static String unescape(String text) {
    return ENTITY
        .matcher(text)
        .replaceAll(
            match -> {
              var name = match.group(1);
              var found = NAMED.get(name);
              if (name.startsWith("#")) {
                boolean hex = Character.toLowerCase(name.charAt(1)) == 'x';
                int code = Integer.parseInt(name.substring(hex ? 2 : 1), hex ? 16 : 10);
                boolean valid = code > 0 && code <= Character.MAX_CODE_POINT;
                found = valid ? Character.toString(code) : "\ufffd";
              }
              return java.util.regex.Matcher.quoteReplacement(
                  found == null ? match.group() : found);
            });
  }
}
