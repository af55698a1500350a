package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.load.ComputeType;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The options of an MLX engine, with their types and ranges.
 *
 * @param contextLength a shorter context than the model's own
 * @param threads 0 for one for each physical core
 */
record EngineOptions(
    SimpleEngineSettings settings,
    ComputeType dtype,
    OptionalInt contextLength,
    Optional<String> revision,
    int threads,
    boolean primitives) {

  static final List<EngineOption> DECLARED =
      List.of(
          option("max-queue", EngineOption.Type.INTEGER, "256", "Requests that may wait"),
          option(
              "prefill-chunk",
              EngineOption.Type.INTEGER,
              "512",
              "Tokens of a prompt computed in one pass"),
          option(
              "prompt-caches",
              EngineOption.Type.INTEGER,
              "4",
              "Conversations whose KV cache is kept for their next turn"),
          option(
              "prompt-cache-memory",
              EngineOption.Type.BYTES,
              "1GB",
              "Memory that these may take together"),
          option(
              "dtype",
              EngineOption.Type.TEXT,
              "auto",
              "auto, float32, float16 or bfloat16: what is computed in"),
          option(
              "context-length",
              EngineOption.Type.INTEGER,
              "",
              "A shorter context than the model's own, in tokens"),
          option(
              "revision",
              EngineOption.Type.TEXT,
              "",
              "Branch, tag or commit of a model of the hub"),
          option(
              "threads",
              EngineOption.Type.INTEGER,
              "0",
              "Threads that compute on a CPU; 0 is one for each physical core"),
          option(
              "primitives",
              EngineOption.Type.TEXT,
              "on",
              "on or off: this project's own CPU primitives, or MLX's ops"));

  private static EngineOption option(
      String name, EngineOption.Type type, String defaultValue, String help) {
    return new EngineOption(name, type, defaultValue, help);
  }

  /**
   * @throws EngineException.InvalidRequest that names the option at fault
   */
  static EngineOptions of(EngineContext context) {
    return new EngineOptions(
        new SimpleEngineSettings(
            integer(context, "max-queue", 1).orElseThrow(),
            integer(context, "prefill-chunk", 1).orElseThrow(),
            integer(context, "prompt-caches", 0).orElseThrow(),
            Bytes.parse(context.option("prompt-cache-memory").orElseThrow())),
        dtype(context.option("dtype").orElseThrow()),
        integer(context, "context-length", 2),
        context.option("revision").filter(revision -> !revision.isEmpty()),
        integer(context, "threads", 0).orElseThrow(),
        onOrOff(context.option("primitives").orElseThrow()));
  }

  private static OptionalInt integer(EngineContext context, String name, int least) {
    var text = context.option(name).filter(value -> !value.isEmpty());
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

  private static ComputeType dtype(String name) {
    try {
      return ComputeType.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw wrong("dtype", "must be auto, float32, float16 or bfloat16, and is " + name);
    }
  }

  private static boolean onOrOff(String value) {
    return switch (value) {
      case "on" -> true;
      case "off" -> false;
      default -> throw wrong("primitives", "must be on or off, and is " + value);
    };
  }

  private static EngineException wrong(String option, String message) {
    return new EngineException.InvalidRequest(option, "--" + option + " " + message);
  }
}
