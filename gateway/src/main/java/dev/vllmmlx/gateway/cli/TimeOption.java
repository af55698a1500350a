package dev.vllmmlx.gateway.cli;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads lengths of time: {@code 250ms}, {@code 30s}, {@code 5m}, {@code 1h}, and bare seconds. */
final class TimeOption implements ITypeConverter<Duration> {
  private static final Pattern TIME = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(ms|s|m|h)?");

  @Override
  public Duration convert(String text) {
    var time = TIME.matcher(text);
    if (!time.matches()) {
      throw new TypeConversionException(
          "\"%s\" is not a length of time such as 250ms, 30s or 5m".formatted(text));
    }
    var millis =
        switch (time.group(2)) {
          case "ms" -> 1;
          case "m" -> 60_000;
          case "h" -> 3_600_000;
          case null, default -> 1000;
        };
    var exact = new BigDecimal(time.group(1)).multiply(BigDecimal.valueOf(millis));
    // Zero may mean no limit: a time too short to be counted must not become it.
    return Duration.ofMillis(exact.setScale(0, RoundingMode.UP).longValueExact());
  }
}
