package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.plugin.EngineCatalog;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code vllm-mlx engines}: what {@code --engine} can name. */
@Command(
    name = "engines",
    description = "Lists the engines that were found.",
    mixinStandardHelpOptions = true)
final class EnginesCommand implements Callable<Integer> {
  private final EngineCatalog catalog;

  @Spec CommandSpec spec;

  // Read before parsing, by Main; declared here so that it is known and shown.
  @Option(names = "--plugins-dir", paramLabel = "DIR", description = "Where plugins lie.")
  Path pluginsDir;

  EnginesCommand(EngineCatalog catalog) {
    this.catalog = catalog;
  }

  @Override
  public Integer call() {
    var out = spec.commandLine().getOut();
    for (var engine : catalog.engines()) {
      var provider = engine.provider();
      out.printf("%-12s %s%n", provider.name(), provider.description());
      if (!provider.aliases().isEmpty()) {
        out.printf("%-12s also: %s%n", "", String.join(", ", provider.aliases()));
      }
      out.printf("%-12s from: %s%n", "", engine.origin());
      for (var option : provider.options()) {
        out.printf("%-12s --%s: %s%n", "", option.name(), option.help());
      }
    }
    return CommandLine.ExitCode.OK;
  }
}
