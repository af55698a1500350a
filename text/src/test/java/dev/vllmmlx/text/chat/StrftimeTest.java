package dev.vllmmlx.text.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDateTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StrftimeTest {
  /** What Python prints for {@code datetime(2025, 1, 5, 0, 7, 9, 1234).strftime(directive)}. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "%a %A %w %u|Sun Sunday 0 7",
        "%d %-d %e %_d|05 5  5  5",
        "%b %B %h %m %y %Y %C|Jan January Jan 01 25 2025 20",
        "%H %I %l %k %p %P|00 12 12  0 AM am",
        "%M %S %f %j|07 09 001234 005",
        "%U %W %V %G|01 00 01 2025",
        "%c|Sun Jan  5 00:07:09 2025",
        "%x %X %D %T %F %R %r|01/05/25 00:07:09 01/05/25 00:07:09 2025-01-05 00:07 12:07:09 AM",
        "[%z%Z]|[]",
        "%^a %#p|SUN am",
        "100%% %Q %|100% %Q %"
      })
  void formatsAsPythonDoes(String format, String expected) {
    assertThat(Strftime.format(format, LocalDateTime.of(2025, 1, 5, 0, 7, 9, 1_234_000)))
        .isEqualTo(expected);
  }

  @Test
  void countsWeeksAcrossTheYearsEnd() {
    assertThat(Strftime.format("%G-W%V-%u %U %W", LocalDateTime.of(2027, 1, 2, 15, 0)))
        .isEqualTo("2026-W53-6 00 00");
  }
}
