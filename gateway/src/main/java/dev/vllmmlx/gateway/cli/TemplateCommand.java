package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.hub.CheckpointSource;
import dev.vllmmlx.hub.HubSettings;
import dev.vllmmlx.hub.ProgressBar;
import dev.vllmmlx.hub.gguf.GgufMetadata;
import dev.vllmmlx.text.chat.ChatTemplate;
import dev.vllmmlx.text.chat.TemplateLines;
import dev.vllmmlx.text.jinja.TemplateException;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code vllm-mlx template}: renders contexts, for people who debug templates. */
@Command(
    name = "template",
    description =
        "Reads one JSON context a line from standard input and writes {\"text\": ...} or"
            + " {\"error\": ...} a line.",
    mixinStandardHelpOptions = true)
final class TemplateCommand implements Callable<Integer> {

  @Spec CommandSpec spec;

  @Option(
      names = "--template",
      paramLabel = "FILE|MODEL",
      description = "A template file or a model; a context may name its own \"template\" path.")
  String template;

  @Override
  public Integer call() throws IOException {
    var lines =
        new TemplateLines(template == null ? null : compiled(source()), Clock.systemDefaultZone());
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
    lines.run(in, out);
    return CommandLine.ExitCode.OK;
  }

  private ChatTemplate compiled(String source) {
    try {
      return ChatTemplate.compile(source, Clock.systemDefaultZone());
    } catch (TemplateException e) {
      throw new ParameterException(
          spec.commandLine(), "the template cannot be compiled: " + e.getMessage());
    }
  }

  /** The text of the file, or what the model brings. */
  private String source() throws IOException {
    var file = Path.of(template);
    if (Files.isRegularFile(file) && !template.endsWith(".gguf")) {
      return Files.readString(file);
    }
    var checkpoint =
        new CheckpointSource(HubSettings.fromEnvironment(System.getenv()))
            .resolveText(Models.reference(template, null), ProgressBar.onStandardError());
    var tokenizer =
        switch (checkpoint) {
          case Checkpoint.Folder(var _, var path) -> Tokenizer.fromFolder(path);
          case Checkpoint.Gguf(var _, var path) -> Tokenizer.fromGguf(GgufMetadata.read(path));
        };
    return tokenizer
        .chatTemplates()
        .source()
        .orElseThrow(
            () ->
                new ParameterException(
                    spec.commandLine(), "the model " + template + " has no chat template"));
  }
}
