package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.spi.EngineOption;
import java.util.regex.Pattern;
import picocli.CommandLine;

/** Checks the values of engine options against their declared types, before an engine sees them. */
final class OptionValues {
  private static final Pattern BYTES = Pattern.compile("\\d+(\\.\\d+)?\\s*([KMGT]i?B?|B)?", 2);
  private static final Pattern DURATION = Pattern.compile("\\d+(\\.\\d+)?(ms|s|m|h)");

  private OptionValues() {}

  static String checked(CommandLine command, EngineOption option, String value) {
    var fits =
        switch (option.type()) {
          case FLAG -> value.equals("true") || value.equals("false");
          case INTEGER -> isInteger(value);
          case NUMBER -> isNumber(value);
          case TEXT -> true;
          case BYTES -> BYTES.matcher(value).matches();
          case DURATION -> DURATION.matcher(value).matches();
        };
    if (!fits) {
      throw new CommandLine.ParameterException(
          command,
          "--%s is \"%s\", which is not %s".formatted(option.name(), value, kind(option.type())));
    }
    return value;
  }

  private static String kind(EngineOption.Type type) {
    return switch (type) {
      case FLAG -> "true or false";
      case INTEGER -> "a whole number";
      case NUMBER -> "a number";
      case TEXT -> "a text";
      case BYTES -> "a number of bytes such as 512MB or 2.5GB";
      case DURATION -> "a length of time such as 250ms, 30s or 5m";
    };
  }

  private static boolean isInteger(String value) {
    try {
      Long.parseLong(value);
      return true;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  private static boolean isNumber(String value) {
    try {
      return Double.isFinite(Double.parseDouble(value));
    } catch (NumberFormatException e) {
      return false;
    }
  }
}
