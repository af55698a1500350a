package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.load.ComputeType;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineOption;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.reasoning.ReasoningFormat;
import dev.vllmmlx.text.reasoning.ReasoningFormats;
import dev.vllmmlx.text.tools.ToolCallFormat;
import dev.vllmmlx.text.tools.ToolCallFormats;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * The options that every MLX engine has, with their types and ranges.
 *
 * @param maxQueue requests that may wait beside those that run
 * @param contextLength a shorter context than the model's own
 * @param threads 0 for one for each physical core
 * @param kvBits of a number of keys and values: 8 or 16; empty for the type that is computed in
 * @param toolCalls how the model writes calls, where its chat template does not say
 * @param reasoning how it marks its thinking, likewise
 */
public record MlxOptions(
    int maxQueue,
    ComputeType dtype,
    OptionalInt contextLength,
    Optional<String> revision,
    int threads,
    boolean primitives,
    OptionalInt kvBits,
    Optional<ToolCallFormat> toolCalls,
    Optional<ReasoningFormat> reasoning) {

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
              "on or off: this project's own CPU primitives, or MLX's ops"),
          new EngineOption(
              "kv-bits",
              EngineOption.Type.INTEGER,
              "",
              "Bits of a number in the KV cache, 8 or 16; as it is computed in unless given"),
          new EngineOption(
              "tool-call-parser",
              EngineOption.Type.TEXT,
              "auto",
              "How the model writes calls: auto, by its chat template, or one of "
                  + String.join(", ", ToolCallFormats.names())),
          new EngineOption(
              "reasoning-parser",
              EngineOption.Type.TEXT,
              "auto",
              "How the model marks its thinking: auto, by its chat template, or one of "
                  + String.join(", ", ReasoningFormats.names())));

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
        read.onOrOff("primitives"),
        kvBits(read),
        format(read, "tool-call-parser", ToolCallFormats::named, ToolCallFormats.names()),
        format(read, "reasoning-parser", ReasoningFormats::named, ReasoningFormats.names()));
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

  /**
   * How answers are written.
   *
   * @param shown as the chat template shows it
   */
  AnswerFormat answers(AnswerFormat shown) {
    return new AnswerFormat(reasoning.or(shown::reasoning), toolCalls.or(shown::calls));
  }

  private static <F> Optional<F> format(
      OptionReader read, String option, Function<String, Optional<F>> named, List<String> names) {
    var name = read.text(option).orElseThrow();
    if (name.equals("auto")) {
      return Optional.empty();
    }
    var format = named.apply(name);
    if (format.isEmpty()) {
      throw OptionReader.wrong(
          option, "must be auto or one of %s, and is %s".formatted(String.join(", ", names), name));
    }
    return format;
  }

  private static OptionalInt kvBits(OptionReader read) {
    var bits = read.integer("kv-bits", Integer.MIN_VALUE);
    if (bits.isPresent() && bits.getAsInt() != 8 && bits.getAsInt() != 16) {
      throw OptionReader.wrong("kv-bits", "must be 8 or 16, and is " + bits.getAsInt());
    }
    return bits;
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
