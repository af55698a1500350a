package dev.vllmmlx.echo;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineOption;
import dev.vllmmlx.spi.EngineOption.Type;
import dev.vllmmlx.spi.EngineProvider;
import java.util.List;

/** {@code --engine echo}. */
public final class EchoProvider implements EngineProvider {

  @Override
  public String name() {
    return "echo";
  }

  @Override
  public String description() {
    return "answers with the prompt's words, without a model: for tests and measurements";
  }

  @Override
  public List<EngineOption> options() {
    return List.of(
        new EngineOption(
            "tokens-per-second", Type.NUMBER, "0", "Rate of each answer; 0 is as fast as possible"),
        new EngineOption("max-queue", Type.INTEGER, "256", "Requests that may wait"),
        new EngineOption("max-running", Type.INTEGER, "64", "Requests that are answered at once"),
        new EngineOption("context-length", Type.INTEGER, "32768", "Tokens of prompt and answer"));
  }

  @Override
  public Engine open(EngineContext context) {
    return new EchoEngine(
        new EchoSettings(
            context.servedName().or(context::model).orElse("echo"),
            rate(context),
            whole(context, "max-queue"),
            whole(context, "max-running"),
            whole(context, "context-length")));
  }

  private static double rate(EngineContext context) {
    var rate = Double.parseDouble(context.option("tokens-per-second").orElse("0"));
    if (rate < 0) {
      throw wrong("tokens-per-second", "must not be negative");
    }
    return rate;
  }

  private static int whole(EngineContext context, String name) {
    var value = Long.parseLong(context.option(name).orElseThrow());
    if (value < 1 || value > Integer.MAX_VALUE) {
      throw wrong(name, "must be at least 1");
    }
    return (int) value;
  }

  private static EngineException wrong(String option, String message) {
    return new EngineException.InvalidRequest(option, "--" + option + " " + message);
  }
}
