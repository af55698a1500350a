package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Signature.Bound;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** {@code urlize}: links in a text become HTML links. */
final class Urlize {
  private static final Pattern HTTP =
      Pattern.compile(
          "((https?://|www\\.)(([\\w%-]+\\.)+)?([a-z]{2,63}|xn--[\\w%]{2,59})"
              + "|([\\w%-]{2,63}\\.)+(com|net|int|edu|gov|org|info|mil)"
              + "|(https?://)((([\\d]{1,3})(\\.[\\d]{1,3}){3})"
              + "|(\\[([\\da-f]{0,4}:){2}([\\da-f]{0,4}:?){1,6}])))"
              + "(?::[\\d]{1,5})?(?:[/?#]\\S*)?",
          Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern EMAIL =
      Pattern.compile("\\S+@\\w[\\w.-]*\\.\\w+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern HEAD = Pattern.compile("^([(<]|&lt;)+");
  private static final Pattern TAIL = Pattern.compile("([)>.,\\n]|&gt;)+$");
  private static final String[][] PAIRS = {{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}};

  private final String attributes;
  private final long limit;

  private Urlize(String attributes, long limit) {
    this.attributes = attributes;
    this.limit = limit;
  }

  static Object filter(Bound arguments) {
    var rel = new TreeSet<String>();
    rel.add("noopener");
    if (arguments.get(4, null) != null) {
      PyStrings.splitSpace(arguments.text(4), -1).forEach(part -> rel.add((String) part));
    }
    if (arguments.truth(2, false)) {
      rel.add("nofollow");
    }
    var attributes = " rel=\"" + Markup.escapeText(String.join(" ", rel)) + "\"";
    if (arguments.get(3, null) != null) {
      attributes += " target=\"" + Markup.escape(arguments.get(3)).text() + "\"";
    }
    long limit = arguments.get(1, null) == null ? -1 : arguments.integer(1, -1);
    var text = new Urlize(attributes, limit).convert(Markup.escape(arguments.get(0)).text());
    return arguments.evaluation().autoescape() ? new Markup(text) : text;
  }

  private String convert(String text) {
    var out = new StringBuilder();
    int start = 0;
    for (int i = 0; i <= text.length(); i++) {
      if (i == text.length() || PyStrings.isSpace(text.charAt(i))) {
        out.append(word(text.substring(start, i)));
        if (i < text.length()) {
          out.append(text.charAt(i));
        }
        start = i + 1;
      }
    }
    return out.toString();
  }

  private String word(String word) {
    var head = "";
    var middle = word;
    var tail = "";
    var matcher = HEAD.matcher(middle);
    if (matcher.find()) {
      head = matcher.group();
      middle = middle.substring(matcher.end());
    }
    matcher = TAIL.matcher(middle);
    if (matcher.find()) {
      tail = matcher.group();
      middle = middle.substring(0, matcher.start());
    }
    for (var pair : PAIRS) {
      int opens = count(middle, pair[0]);
      if (opens <= count(middle, pair[1])) {
        continue;
      }
      for (int i = Math.min(opens, count(tail, pair[1])); i > 0; i--) {
        int end = tail.indexOf(pair[1]) + pair[1].length();
        middle += tail.substring(0, end);
        tail = tail.substring(end);
      }
    }
    return head + link(middle) + tail;
  }

  private static int count(String text, String part) {
    int count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private String link(String text) {
    if (HTTP.matcher(text).matches()) {
      boolean scheme = text.startsWith("https://") || text.startsWith("http://");
      var url = scheme ? text : "https://" + text;
      return "<a href=\"" + url + "\"" + attributes + ">" + trim(text) + "</a>";
    }
    if (text.startsWith("mailto:") && EMAIL.matcher(text.substring(7)).matches()) {
      return "<a href=\"" + text + "\">" + text.substring(7) + "</a>";
    }
    boolean address =
        text.contains("@")
            && !text.startsWith("www.")
            && !text.startsWith("@")
            && !text.contains(":");
    return address && EMAIL.matcher(text).matches()
        ? "<a href=\"mailto:" + text + "\">" + text + "</a>"
        : text;
  }

  private String trim(String text) {
    return limit >= 0 && PyStrings.length(text) > limit
        ? text.substring(0, PyStrings.offset(text, (int) limit)) + "..."
        : text;
  }
}
