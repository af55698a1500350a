package dev.vllmmlx.text.chat;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.TextStyle;
import java.time.temporal.ChronoUnit;
import java.time.temporal.IsoFields;
import java.util.Locale;

/**
 * C's {@code strftime} in the C locale, as Python's {@code datetime.strftime} gives it on Linux.
 */
final class Strftime {
  private final LocalDateTime time;
  private final StringBuilder out = new StringBuilder();

  private Strftime(LocalDateTime time) {
    this.time = time;
  }

  static String format(String format, LocalDateTime time) {
    var formatter = new Strftime(time);
    formatter.append(format);
    return formatter.out.toString();
  }

  private void append(String format) {
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      int start = i++;
      char flag = 0;
      while ("-_0^#".indexOf(format.charAt(i)) >= 0 && i + 1 < format.length()) {
        flag = format.charAt(i++);
      }
      if (!directive(format.charAt(i), flag)) {
        out.append(format, start, i + 1);
      }
    }
  }

  private boolean directive(char directive, char flag) {
    switch (directive) {
      case 'a' -> text(time.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH), flag);
      case 'A' -> text(time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH), flag);
      case 'b', 'h' -> text(time.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH), flag);
      case 'B' -> text(time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH), flag);
      case 'p' -> text(time.getHour() < 12 ? "AM" : "PM", flag == '#' ? 'l' : flag);
      case 'P' -> out.append(time.getHour() < 12 ? "am" : "pm");
      case 'd' -> number(time.getDayOfMonth(), 2, '0', flag);
      case 'e' -> number(time.getDayOfMonth(), 2, ' ', flag);
      case 'm' -> number(time.getMonthValue(), 2, '0', flag);
      case 'y' -> number(time.getYear() % 100, 2, '0', flag);
      case 'Y' -> number(time.getYear(), 0, '0', flag);
      case 'C' -> number(time.getYear() / 100, 2, '0', flag);
      case 'G' -> number(time.get(IsoFields.WEEK_BASED_YEAR), 0, '0', flag);
      case 'g' -> number(time.get(IsoFields.WEEK_BASED_YEAR) % 100, 2, '0', flag);
      case 'H' -> number(time.getHour(), 2, '0', flag);
      case 'k' -> number(time.getHour(), 2, ' ', flag);
      case 'I' -> number(hour12(), 2, '0', flag);
      case 'l' -> number(hour12(), 2, ' ', flag);
      case 'M' -> number(time.getMinute(), 2, '0', flag);
      case 'S' -> number(time.getSecond(), 2, '0', flag);
      case 'f' -> number(time.getNano() / 1000, 6, '0', (char) 0);
      case 'j' -> number(time.getDayOfYear(), 3, '0', flag);
      case 'u' -> number(time.getDayOfWeek().getValue(), 1, '0', flag);
      case 'w' -> number(time.getDayOfWeek().getValue() % 7, 1, '0', flag);
      case 'U' -> number(week(time.getDayOfWeek().getValue() % 7), 2, '0', flag);
      case 'W' -> number(week(time.getDayOfWeek().getValue() - 1), 2, '0', flag);
      case 'V' -> number(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, '0', flag);
      case 's' -> out.append(ChronoUnit.SECONDS.between(EPOCH, time));
      case 'c' -> append("%a %b %e %H:%M:%S %Y");
      case 'D', 'x' -> append("%m/%d/%y");
      case 'F' -> append("%Y-%m-%d");
      case 'r' -> append("%I:%M:%S %p");
      case 'R' -> append("%H:%M");
      case 'T', 'X' -> append("%H:%M:%S");
      case 'n' -> out.append('\n');
      case 't' -> out.append('\t');
      case '%' -> out.append('%');
      // A time without a zone has neither an offset nor a name.
      case 'z', 'Z' -> {}
      default -> {
        return false;
      }
    }
    return true;
  }

  private static final LocalDateTime EPOCH = LocalDateTime.ofEpochSecond(0, 0, ZoneOffset.UTC);

  private int hour12() {
    return (time.getHour() + 11) % 12 + 1;
  }

  /** The week of the year, where {@code dayOfWeek} counts from its first day. */
  private int week(int dayOfWeek) {
    return (time.getDayOfYear() + 6 - dayOfWeek) / 7;
  }

  private void text(String text, char flag) {
    out.append(
        flag == '^' || flag == '#'
            ? text.toUpperCase(Locale.ROOT)
            : flag == 'l' ? text.toLowerCase(Locale.ROOT) : text);
  }

  private void number(int value, int width, char padding, char flag) {
    var digits = Integer.toString(value);
    char fill = flag == '_' ? ' ' : flag == '0' ? '0' : padding;
    if (flag != '-') {
      out.repeat(fill, Math.max(0, width - digits.length()));
    }
    out.append(digits);
  }
}
