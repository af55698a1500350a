package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Reads values of engine options, which were checked against their types before.
 *
 * @param context holds them
 */
public record OptionReader(EngineContext context) {

  /** A text that is there and not empty. */
  public Optional<String> text(String name) {
    return context.option(name).filter(value -> !value.isEmpty());
  }

  /**
   * A whole number; empty where there is no value.
   *
   * @throws EngineException.InvalidRequest that names the option, where it is less than {@code
   *     least}
   */
  public OptionalInt integer(String name, int least) {
    var text = text(name);
    if (text.isEmpty()) {
      return OptionalInt.empty();
    }
    var value = Long.parseLong(text.get());
    if (value < least || value > Integer.MAX_VALUE) {
      throw wrong(
          name, "must be from %d to %d, and is %d".formatted(least, Integer.MAX_VALUE, value));
    }
    return OptionalInt.of((int) value);
  }

  /** A number of bytes; empty where there is no value. */
  public OptionalLong bytes(String name) {
    var text = text(name);
    return text.isPresent() ? OptionalLong.of(Bytes.parse(text.get())) : OptionalLong.empty();
  }

  /**
   * {@code on} or {@code off}.
   *
   * @throws EngineException.InvalidRequest that names the option
   */
  public boolean onOrOff(String name) {
    var value = text(name).orElse("off");
    return switch (value) {
      case "on" -> true;
      case "off" -> false;
      default -> throw wrong(name, "must be on or off, and is " + value);
    };
  }

  /** What is wrong with an option. */
  public static EngineException.InvalidRequest wrong(String option, String message) {
    return new EngineException.InvalidRequest(option, "--" + option + " " + message);
  }
}
