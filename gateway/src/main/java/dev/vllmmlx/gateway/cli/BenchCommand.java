package dev.vllmmlx.gateway.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code vllm-mlx bench}: its two kinds are commands of their own. */
@Command(
    name = "bench",
    description = "Measures a model (bench model) or a server under load (bench serve).",
    mixinStandardHelpOptions = true)
final class BenchCommand implements Runnable {

  @Spec CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "bench: say model or serve");
  }
}
