package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.hub.CheckpointSource;
import dev.vllmmlx.hub.HubSettings;
import dev.vllmmlx.hub.ProgressBar;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vllm-mlx download MODEL}: fetches a model and says where it lies. */
@Command(
    name = "download",
    description = "Fetches a model into the Hugging Face cache and prints its folder.",
    mixinStandardHelpOptions = true)
final class DownloadCommand implements Callable<Integer> {

  @Spec CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL",
      description = "A hub id such as mlx-community/Qwen3-0.6B-8bit (default: the default model).")
  String model;

  @Option(
      names = "--revision",
      paramLabel = "REV",
      description = "A branch, a tag or a commit (default: main).")
  String revision;

  @Override
  public Integer call() {
    var reference = Models.reference(model, revision);
    var source = new CheckpointSource(HubSettings.fromEnvironment(System.getenv()));
    var checkpoint = source.resolve(reference, ProgressBar.onStandardError());
    spec.commandLine().getOut().println(checkpoint.path());
    return CommandLine.ExitCode.OK;
  }
}
