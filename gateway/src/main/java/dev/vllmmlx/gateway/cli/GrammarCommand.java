package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.hub.CheckpointSource;
import dev.vllmmlx.hub.HubSettings;
import dev.vllmmlx.hub.ProgressBar;
import dev.vllmmlx.hub.gguf.GgufMetadata;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Constraint.JsonWhitespace;
import dev.vllmmlx.text.grammar.ConstraintException;
import dev.vllmmlx.text.grammar.GrammarCheck;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code vllm-mlx grammar}: what a JSON Schema lets a model write. */
@Command(
    name = "grammar",
    description = {
      "Tells whether a JSON Schema compiles for a model, which texts its masks admit token by"
          + " token, and how long a mask takes.",
      "Several schemas may be given; the nth --accepts belongs to the nth --schema. The exit code is"
          + " 1 when a schema does not compile."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class GrammarCommand implements Callable<Integer> {

  @Spec CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "A folder, a .gguf file, or a hub id (default: SmolLM2-135M-Instruct).")
  String model;

  @Option(names = "--schema", paramLabel = "FILE", required = true, description = "A JSON Schema.")
  List<Path> schemas;

  @Option(
      names = "--accepts",
      paramLabel = "FILE.jsonl",
      description = "An instance a line: each is accepted or rejected as it is written.")
  List<Path> accepts;

  @Option(
      names = "--lenient",
      description = "Leave keywords out that masks cannot keep, and name them.")
  boolean lenient;

  @Option(names = "--compact", description = "JSON without space between its tokens.")
  boolean compact;

  @Option(names = "--json", description = "One JSON object a schema, a line each.")
  boolean json;

  @Override
  public Integer call() throws IOException {
    if (accepts != null && accepts.size() != schemas.size()) {
      throw new ParameterException(
          spec.commandLine(),
          "%d --accepts for %d --schema: give each its own, or none"
              .formatted(accepts.size(), schemas.size()));
    }
    var out = spec.commandLine().getOut();
    var allCompile = true;
    try (var check = new GrammarCheck(tokenizer())) {
      for (var i = 0; i < schemas.size(); i++) {
        var page = new GrammarPage(schemas.get(i).toString());
        var texts = accepts == null ? List.<String>of() : lines(accepts.get(i));
        try {
          var report = check.check(constraint(schemas.get(i)), texts);
          out.println(json ? page.json(report) : page.text(report));
        } catch (ConstraintException e) {
          allCompile = false;
          out.println(json ? page.json(e) : page.text(e));
        }
      }
    }
    return allCompile ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
  }

  private Constraint.JsonSchema constraint(Path schema) throws IOException {
    return new Constraint.JsonSchema(
        Files.readString(schema),
        !lenient,
        compact ? JsonWhitespace.COMPACT : JsonWhitespace.BOUNDED);
  }

  private static List<String> lines(Path file) throws IOException {
    return Files.readString(file).lines().filter(line -> !line.isBlank()).toList();
  }

  private Tokenizer tokenizer() {
    var checkpoint =
        new CheckpointSource(HubSettings.fromEnvironment(System.getenv()))
            .resolveText(Models.reference(model, null), ProgressBar.onStandardError());
    return switch (checkpoint) {
      case Checkpoint.Folder(var _, var path) -> Tokenizer.fromFolder(path);
      case Checkpoint.Gguf(var _, var path) -> Tokenizer.fromGguf(GgufMetadata.read(path));
    };
  }
}
