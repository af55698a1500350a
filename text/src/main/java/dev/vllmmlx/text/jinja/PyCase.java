package dev.vllmmlx.text.jinja;

import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Upper and lower case, and the {@code is...} methods of {@code str}. */
final class PyCase {
  static final List<String> PREDICATES =
      List.of(
          "isalnum",
          "isalpha",
          "isascii",
          "isdecimal",
          "isdigit",
          "isidentifier",
          "islower",
          "isnumeric",
          "isprintable",
          "isspace",
          "istitle",
          "isupper");

  private PyCase() {}

  static String upper(String text) {
    return text.toUpperCase(Locale.ROOT);
  }

  static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  /** Case folding, by way of upper case for what has no simple folding. */
  static String fold(String text) {
    var out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              var single = Character.toString(c);
              boolean expands = upper(single).length() > single.length();
              int simple = Character.toLowerCase(Character.toUpperCase(c));
              out.append(expands ? lower(upper(single)) : Character.toString(simple));
            });
    return out.toString();
  }

  private static String titleCharacter(int c) {
    int title = Character.toTitleCase(c);
    if (title != c) {
      return Character.toString(title);
    }
    // A character whose upper case is several characters: only the first stays upper.
    var upper = upper(Character.toString(c));
    int first = upper.codePointAt(0);
    int size = Character.charCount(first);
    return upper.length() == size
        ? upper
        : Character.toString(first) + lower(upper.substring(size));
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.codePointAt(0);
    int size = Character.charCount(first);
    // Lowering the whole keeps the rule for a final sigma.
    var lowered = lower(text);
    var firstLowered = lower(Character.toString(first));
    return titleCharacter(first)
        + lowered.substring(Math.min(firstLowered.length(), lowered.length()));
  }

  static String title(String text) {
    var out = new StringBuilder(text.length());
    boolean afterCased = false;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      out.append(afterCased ? lower(Character.toString(c)) : titleCharacter(c));
      afterCased = isCased(c);
    }
    return out.toString();
  }

  static String swap(String text) {
    var out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              var single = Character.toString(c);
              out.append(
                  Character.isUpperCase(c)
                      ? lower(single)
                      : Character.isLowerCase(c) ? upper(single) : single);
            });
    return out.toString();
  }

  private static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  static boolean is(String predicate, String text) {
    return switch (predicate) {
      case "isascii" -> text.chars().allMatch(c -> c < 0x80);
      case "isprintable" -> text.codePoints().allMatch(PyStrings::isPrintable);
      case "isspace" -> all(text, PyStrings::isSpace);
      case "isalpha" -> all(text, Character::isLetter);
      case "isdecimal" -> all(text, Character::isDigit);
      case "isdigit" -> all(text, PyCase::isDigit);
      case "isnumeric" -> all(text, PyCase::isNumeric);
      case "isalnum" -> all(text, c -> Character.isLetter(c) || isNumeric(c));
      case "islower" -> isOneCase(text, Character::isLowerCase);
      case "isupper" -> isOneCase(text, Character::isUpperCase);
      case "istitle" -> isTitle(text);
      case "isidentifier" -> isIdentifier(text);
      default -> throw new IllegalArgumentException(predicate);
    };
  }

  private static boolean all(String text, IntPredicate predicate) {
    return !text.isEmpty() && text.codePoints().allMatch(predicate);
  }

  private static boolean isDigit(int c) {
    return Character.isDigit(c)
        || c == 0xb2
        || c == 0xb3
        || c == 0xb9
        || c == 0x2070
        || c >= 0x2074 && c <= 0x2079
        || c >= 0x2080 && c <= 0x2089
        || c >= 0x2460 && c <= 0x2468
        || c >= 0x2474 && c <= 0x247c
        || c >= 0x2488 && c <= 0x2490
        || c == 0x24ea
        || c >= 0x24f5 && c <= 0x24fd
        || c == 0x24ff
        || c >= 0x2776 && c <= 0x277e
        || c >= 0x2780 && c <= 0x2788
        || c >= 0x278a && c <= 0x2792;
  }

  private static boolean isNumeric(int c) {
    int type = Character.getType(c);
    return isDigit(c)
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER
        || c < 0x10000 && "一二三四五六七八九十百千万零〇億兆".indexOf(c) >= 0;
  }

  private static boolean isOneCase(String text, IntPredicate wanted) {
    return text.codePoints().anyMatch(wanted)
        && text.codePoints().allMatch(c -> !isCased(c) || wanted.test(c));
  }

  private static boolean isTitle(String text) {
    boolean found = false;
    boolean afterCased = false;
    for (int c : text.codePoints().toArray()) {
      if (Character.isUpperCase(c) || Character.isTitleCase(c)) {
        if (afterCased) {
          return false;
        }
        found = true;
        afterCased = true;
      } else if (Character.isLowerCase(c)) {
        if (!afterCased) {
          return false;
        }
        found = true;
      } else {
        afterCased = false;
      }
    }
    return found;
  }

  private static boolean isIdentifier(String text) {
    if (text.isEmpty()) {
      return false;
    }
    int first = text.codePointAt(0);
    return (first == '_' || Character.isUnicodeIdentifierStart(first))
        && text.codePoints()
            .skip(1)
            .allMatch(
                c -> Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
  }
}
