package dev.vllmmlx.text.tokenizer;

import dev.vllmmlx.text.PythonEnvironment;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
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
    process = PythonEnvironment.script("tokenizers_oracle.py").start();
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
}
