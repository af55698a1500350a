package dev.vllmmlx.text.tokenizer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Python's {@code tokenizers} as an oracle: one subprocess, a line of JSON each way. */
final class PythonTokenizers implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Process process;
  private final Writer requests;
  private final BufferedReader answers;

  PythonTokenizers() throws IOException, InterruptedException {
    var root = repository();
    var script = root.resolve("text/src/test/python/tokenizers_oracle.py");
    process =
        new ProcessBuilder(environment(root).resolve("bin/python").toString(), script.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    requests = process.outputWriter(StandardCharsets.UTF_8);
    answers = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Reads a tokenizer.json; tells the size of its vocabulary. */
  int load(Path tokenizerJson) {
    return ask(Map.of("load", tokenizerJson.toString())).asInt();
  }

  /** Builds SmolLM2's tokenizer from its GGUF file; tells the size of its vocabulary. */
  int loadSmolLm(Path gguf) {
    return ask(Map.of("gguf", gguf.toString())).asInt();
  }

  List<int[]> encode(List<String> texts, boolean addSpecialTokens) {
    var answer = ask(Map.of("encode", texts, "special", addSpecialTokens));
    return JSON.convertValue(answer, new TypeReference<>() {});
  }

  List<String> decode(List<int[]> ids, boolean skipSpecialTokens) {
    var answer = ask(Map.of("decode", ids, "skip", skipSpecialTokens));
    return JSON.convertValue(answer, new TypeReference<>() {});
  }

  private JsonNode ask(Map<String, ?> request) {
    try {
      requests.write(JSON.writeValueAsString(request) + "\n");
      requests.flush();
      var line = answers.readLine();
      if (line == null) {
        throw new IllegalStateException("the oracle has ended; its words are on stderr");
      }
      return JSON.readTree(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException, InterruptedException {
    requests.close();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
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
