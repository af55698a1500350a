package dev.vllmmlx.gateway.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code vllm-mlx template}: renders contexts, for people who debug templates. */
@Command(
    name = "template",
    description =
        "Reads one JSON context a line and writes {\"text\": ...} or {\"error\": ...} a line.",
    mixinStandardHelpOptions = true)
final class TemplateCommand implements Callable<Integer> {

  @Option(
      names = "--template",
      paramLabel = "FILE|MODEL",
      description = "A template file or a model; a context may name its own \"template\" path.")
  String template;

  @Override
  public Integer call() {
    throw new UnsupportedOperationException("lands with the template engine");
  }
}
