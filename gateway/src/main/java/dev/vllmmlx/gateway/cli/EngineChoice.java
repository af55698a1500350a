package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.plugin.EngineCatalog;
import dev.vllmmlx.gateway.plugin.FoundEngine;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options that choose an engine. */
final class EngineChoice {
  private static final String DEFAULT_ENGINE = "simple";
  private static final String BATCHING_ALIAS = "continuous-batching";

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      description = "Which engine generates; \"vllm-mlx engines\" lists them (default: simple).")
  String engine;

  @Option(
      names = "--continuous-batching",
      description = "Serve many users at once: the same as --engine batched.")
  boolean continuousBatching;

  FoundEngine from(EngineCatalog catalog, CommandLine command) {
    if (!continuousBatching) {
      var name = engine == null ? DEFAULT_ENGINE : engine;
      return catalog
          .named(name)
          .orElseThrow(
              () ->
                  new ParameterException(
                      command,
                      "--engine %s: no such engine was found (found: %s)"
                          .formatted(name, catalog.names())));
    }
    var batched =
        catalog
            .named(BATCHING_ALIAS)
            .orElseThrow(
                () ->
                    new ParameterException(
                        command,
                        "--continuous-batching: no engine that batches was found (found: %s)"
                            .formatted(catalog.names())));
    if (engine != null && catalog.named(engine).filter(batched::equals).isEmpty()) {
      throw new ParameterException(
          command,
          "--continuous-batching means --engine %s, and --engine %s was given"
              .formatted(batched.provider().name(), engine));
    }
    return batched;
  }
}
