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
 * The options that every MLX engine has, with their types and ranges.
 *
 * @param maxQueue requests that may wait beside those that run
 * @param contextLength a shorter context than the model's own
 * @param threads 0 for one for each physical core
 */
public record MlxOptions(
    int maxQueue,
    ComputeType dtype,
    OptionalInt contextLength,
    Optional<String> revision,
    int threads,
    boolean primitives) {

  /** As engines declare them. */
  public static final List<EngineOption> DECLARED =
      List.of(
          new EngineOption("max-queue", EngineOption.Type.INTEGER, "256", "Requests that may wait"),
          new EngineOption(
              "dtype",
              EngineOption.Type.TEXT,
              "auto",
              "auto, float32, float16 or bfloat16: what is computed in"),
          new EngineOption(
              "context-length",
              EngineOption.Type.INTEGER,
              "",
              "A shorter context than the model's own, in tokens"),
          new EngineOption(
              "revision",
              EngineOption.Type.TEXT,
              "",
              "Branch, tag or commit of a model of the hub"),
          new EngineOption(
              "threads",
              EngineOption.Type.INTEGER,
              "0",
              "Threads that compute on a CPU; 0 is one for each physical core"),
          new EngineOption(
              "primitives",
              EngineOption.Type.TEXT,
              "on",
              "on or off: this project's own CPU primitives, or MLX's ops"));

  /**
   * @throws EngineException.InvalidRequest that names the option at fault
   */
  public static MlxOptions of(EngineContext context) {
    var read = new OptionReader(context);
    return new MlxOptions(
        read.integer("max-queue", 1).orElseThrow(),
        dtype(read.text("dtype").orElseThrow()),
        read.integer("context-length", 2),
        read.text("revision"),
        read.integer("threads", 0).orElseThrow(),
        read.onOrOff("primitives"));
  }

  /**
   * How many tokens prompt and answer may have together.
   *
   * @param own the model's own length
   * @throws EngineException.InvalidRequest if more was asked for
   */
  int contextLength(int own) {
    if (contextLength.orElse(own) > own) {
      throw OptionReader.wrong(
          "context-length",
          "is %d, and the model's own context is %d".formatted(contextLength.getAsInt(), own));
    }
    return contextLength.orElse(own);
  }

  private static ComputeType dtype(String name) {
    try {
      return ComputeType.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw OptionReader.wrong(
          "dtype", "must be auto, float32, float16 or bfloat16, and is " + name);
    }
  }
}
