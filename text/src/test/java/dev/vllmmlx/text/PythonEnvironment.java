package dev.vllmmlx.text;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Python with the packages of {@code testenv/text.txt}, which tests ask for the right answer. */
public final class PythonEnvironment {
  private PythonEnvironment() {}

  /** A command that runs a script of {@code text/src/test/python}. */
  public static ProcessBuilder script(String name, String... arguments)
      throws IOException, InterruptedException {
    var root = repository();
    var command = new ArrayList<String>();
    command.add(environment(root).resolve("bin/python").toString());
    command.add(root.resolve("text/src/test/python").resolve(name).toString());
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("PYTHONIOENCODING", "utf-8:surrogatepass");
    return builder;
  }

  /** The lines that a script prints. */
  public static List<String> lines(String script, String... arguments)
      throws IOException, InterruptedException {
    var process = script(script, arguments).start();
    List<String> lines;
    try (var output = process.inputReader(StandardCharsets.UTF_8)) {
      lines = output.lines().toList();
    }
    if (process.waitFor() != 0) {
      throw new IllegalStateException(script + " failed; its words are on stderr");
    }
    return lines;
  }

  private static Path environment(Path root) throws IOException, InterruptedException {
    var maker =
        new ProcessBuilder(root.resolve("testenv/venv").toString(), "text")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    var folder = new String(maker.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (maker.waitFor() != 0) {
      throw new IllegalStateException("testenv/venv text could not make its environment");
    }
    return Path.of(folder);
  }

  private static Path repository() {
    var folder = Path.of("").toAbsolutePath();
    while (!Files.isExecutable(folder.resolve("testenv/venv"))) {
      folder = folder.getParent();
    }
    return folder;
  }
}
