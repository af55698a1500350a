package dev.vllmmlx.text.grammar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads llama.cpp's GBNF: rules {@code name ::= ...} of quoted texts, character classes, other
 * rules, groups, and repetitions. A rule ends with its line, except within parentheses and behind
 * {@code |} or {@code ::=}. Used once.
 */
final class GbnfParser {
  private static final int DEEPEST = 200;
  private static final int LAST_CODE_POINT = Character.MAX_CODE_POINT;

  private final String text;
  private int at;
  private int depth;

  private GbnfParser(String text) {
    this.text = text;
  }

  /** The rules by name, in order. */
  static Map<String, Gbnf> parse(String text) {
    var parser = new GbnfParser(text);
    var rules = new LinkedHashMap<String, Gbnf>();
    parser.skip(true);
    while (parser.at < text.length()) {
      var name = parser.name();
      parser.skip(false);
      if (!text.startsWith("::=", parser.at)) {
        throw parser.wrong("expected ::= behind the name '%s'".formatted(name));
      }
      parser.at += 3;
      parser.skip(true);
      if (rules.put(name, parser.either()) != null) {
        throw parser.wrong("the rule '%s' is there twice".formatted(name));
      }
      if (parser.at < text.length()
          && text.charAt(parser.at) != '\n'
          && text.charAt(parser.at) != '\r') {
        throw parser.wrong("expected the rule's end");
      }
      parser.skip(true);
    }
    return rules;
  }

  private Gbnf either() {
    var options = new ArrayList<Gbnf>();
    options.add(sequence());
    while (isAlternative()) {
      at++;
      skip(true);
      options.add(sequence());
    }
    return options.size() == 1 ? options.getFirst() : new Gbnf.Either(options);
  }

  /** Whether {@code |} comes next, be it on a line of its own. */
  private boolean isAlternative() {
    var here = at;
    skip(true);
    if (is('|')) {
      return true;
    }
    at = here;
    return false;
  }

  private Gbnf sequence() {
    var parts = new ArrayList<Gbnf>();
    while (at < text.length() && "|)\r\n".indexOf(text.charAt(at)) < 0) {
      parts.add(repeated(item()));
    }
    return parts.size() == 1 ? parts.getFirst() : new Gbnf.Sequence(parts);
  }

  private Gbnf item() {
    var c = text.charAt(at);
    Gbnf item;
    if (c == '"') {
      item = quoted();
    } else if (c == '[') {
      item = charClass();
    } else if (c == '.') {
      at++;
      item = new Gbnf.Chars(List.of(new Gbnf.Range(0, LAST_CODE_POINT)));
    } else if (c == '(') {
      item = group();
    } else if (c == '<') {
      var end = text.indexOf('>', at);
      if (end < 0) {
        throw wrong("expected > at a token's end");
      }
      item = new Gbnf.Token(text.substring(at, end + 1));
      at = end + 1;
    } else {
      item = new Gbnf.Rule(name());
    }
    skip(depth > 0);
    return item;
  }

  private Gbnf group() {
    at++;
    if (++depth > DEEPEST) {
      throw new ConstraintException.TooLarge(
          "the grammar nests deeper than %d levels".formatted(DEEPEST));
    }
    skip(true);
    var inner = either();
    if (!is(')')) {
      throw wrong("expected )");
    }
    at++;
    depth--;
    return inner;
  }

  private Gbnf quoted() {
    at++;
    var parts = new ArrayList<Gbnf>();
    while (!is('"')) {
      parts.add(Gbnf.Chars.of(character("a quoted text")));
    }
    at++;
    return parts.size() == 1 ? parts.getFirst() : new Gbnf.Sequence(parts);
  }

  private Gbnf charClass() {
    at++;
    var negated = is('^');
    at += negated ? 1 : 0;
    var ranges = new ArrayList<Gbnf.Range>();
    while (!is(']')) {
      var from = character("a character class");
      var to = from;
      if (is('-') && at + 1 < text.length() && text.charAt(at + 1) != ']') {
        at++;
        to = character("a character class");
      }
      if (to < from) {
        throw wrong("the range ends before it begins");
      }
      ranges.add(new Gbnf.Range(from, to));
    }
    at++;
    return new Gbnf.Chars(negated ? others(ranges) : ranges);
  }

  private static List<Gbnf.Range> others(List<Gbnf.Range> ranges) {
    var others = new ArrayList<Gbnf.Range>();
    var next = 0;
    var sorted = ranges.stream().sorted((a, b) -> Integer.compare(a.from(), b.from())).toList();
    for (var range : sorted) {
      if (range.from() > next) {
        others.add(new Gbnf.Range(next, range.from() - 1));
      }
      next = Math.max(next, range.to() + 1);
    }
    if (next <= LAST_CODE_POINT) {
      others.add(new Gbnf.Range(next, LAST_CODE_POINT));
    }
    return others;
  }

  private int character(String in) {
    if (at >= text.length()) {
      throw wrong(in + " is not closed");
    }
    var c = text.codePointAt(at);
    at += Character.charCount(c);
    if (c != '\\') {
      return c;
    }
    if (at >= text.length()) {
      throw wrong(in + " is not closed");
    }
    var escaped = text.codePointAt(at);
    at += Character.charCount(escaped);
    return switch (escaped) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'x' -> hex(2);
      case 'u' -> hex(4);
      case 'U' -> hex(8);
      default -> escaped;
    };
  }

  private int hex(int digits) {
    try {
      var value = Integer.parseUnsignedInt(text, at, at + digits, 16);
      at += digits;
      if (!Character.isValidCodePoint(value)) {
        throw wrong("no such character");
      }
      return value;
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw wrong("expected %d hexadecimal digits".formatted(digits));
    }
  }

  private Gbnf repeated(Gbnf item) {
    while (at < text.length()) {
      switch (text.charAt(at)) {
        case '*' -> item = new Gbnf.Repeat(item, 0, -1);
        case '+' -> item = new Gbnf.Repeat(item, 1, -1);
        case '?' -> item = new Gbnf.Repeat(item, 0, 1);
        case '{' -> item = counted(item);
        default -> {
          return item;
        }
      }
      at++;
      skip(depth > 0);
    }
    return item;
  }

  /** {@code {m}}, {@code {m,}} or {@code {m,n}}; stays at the closing brace. */
  private Gbnf counted(Gbnf item) {
    var end = text.indexOf('}', at);
    var counts = end < 0 ? new String[0] : text.substring(at + 1, end).split(",", -1);
    try {
      var min = Integer.parseInt(counts[0].strip());
      var max =
          counts.length == 1 ? min : counts[1].isBlank() ? -1 : Integer.parseInt(counts[1].strip());
      if (counts.length > 2 || min < 0 || (max >= 0 && max < min)) {
        throw wrong("expected {m}, {m,} or {m,n}");
      }
      at = end;
      return new Gbnf.Repeat(item, min, max);
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      throw wrong("expected {m}, {m,} or {m,n}");
    }
  }

  private String name() {
    var start = at;
    while (at < text.length()
        && (Character.isLetterOrDigit(text.charAt(at))
            || text.charAt(at) == '-'
            || text.charAt(at) == '_')) {
      at++;
    }
    if (at == start) {
      throw wrong("expected a name");
    }
    return text.substring(start, at);
  }

  private void skip(boolean lines) {
    while (at < text.length()) {
      var c = text.charAt(at);
      if (c == '#') {
        while (at < text.length() && text.charAt(at) != '\n') {
          at++;
        }
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        at++;
      } else {
        return;
      }
    }
  }

  private boolean is(char c) {
    return at < text.length() && text.charAt(at) == c;
  }

  private ConstraintException wrong(String what) {
    var line = text.substring(0, Math.min(at, text.length())).lines().count();
    return new ConstraintException.Invalid(
        "the GBNF grammar is not valid: line %d: %s".formatted(Math.max(1, line), what));
  }
}
