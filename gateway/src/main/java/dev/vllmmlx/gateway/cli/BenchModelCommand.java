package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.bench.Bench;
import dev.vllmmlx.gateway.plugin.EngineCatalog;
import dev.vllmmlx.hub.ProgressBar;
import dev.vllmmlx.spi.EngineContext;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vllm-mlx bench model}: prefill, decode, memory of one model on this machine. */
@Command(
    name = "model",
    description = "Measures how fast a model is here, and how near to the memory's speed.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class BenchModelCommand implements Callable<Integer> {
  private final EngineCatalog catalog;
  private final EngineOptions engineOptions;

  @Spec CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL",
      description = "A folder, a .gguf file, or a hub id (default: SmolLM2-135M-Instruct).")
  String model;

  @Mixin EngineChoice choice;

  @Option(
      names = "--prompt-tokens",
      split = ",",
      paramLabel = "N",
      defaultValue = "32,512",
      description = "Lengths of prompts, separated by commas (default: 32,512).")
  List<Integer> promptTokens;

  @Option(
      names = "--decode-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens to generate (default: 128).")
  int decodeTokens;

  @Option(
      names = "--repeats",
      paramLabel = "N",
      defaultValue = "3",
      description = "Runs of each, of which the median counts (default: 3).")
  int repeats;

  @Option(names = "--seed", defaultValue = "1", description = "Of the prompts (default: 1).")
  long seed;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Where to write the figures as JSON; - for standard output.")
  String json;

  @Option(names = "--plugins-dir", paramLabel = "DIR", description = "Folder of engine plugins.")
  Path pluginsDir;

  BenchModelCommand(EngineCatalog catalog, EngineOptions engineOptions) {
    this.catalog = catalog;
    this.engineOptions = engineOptions;
  }

  @Override
  public Integer call() throws Exception {
    var command = spec.commandLine();
    if (promptTokens.stream().anyMatch(n -> n < 1) || decodeTokens < 2 || repeats < 1) {
      throw new ParameterException(
          command, "--prompt-tokens and --repeats must be at least 1, --decode-tokens at least 2");
    }
    var engine = choice.from(catalog, command);
    var context =
        new EngineContext(
            Optional.ofNullable(model),
            Optional.empty(),
            engineOptions.values(engine, command, Map.of()),
            new TerminalProgress(ProgressBar.onStandardError()));
    try (var opened = engine.open(context)) {
      Bench.model(
          opened,
          engine.provider().name(),
          new Bench.ModelPlan(promptTokens, decodeTokens, repeats, seed),
          Optional.ofNullable(json),
          command.getOut());
    }
    return CommandLine.ExitCode.OK;
  }
}
