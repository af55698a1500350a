package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.tests.RunningServer;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --cache-dir}: prompts computed before a restart are cached after it. */
final class CacheFolderTest {
  private static final Pattern CONTENT = Pattern.compile("\"content\":\"([^\"]+)\"");
  private static final Pattern CACHED = Pattern.compile("\"cached_tokens\":(\\d+)");
  private static final String BODY =
      """
      {"temperature": 0, "max_tokens": 12, "messages": [{"role": "user", "content": "%s"}]}
      """
          .formatted("Once upon a time there was a lighthouse. ".repeat(12));

  private final HttpClient client = HttpClient.newHttpClient();
  @TempDir Path folder;

  private record Answered(String content, int cached) {}

  @Test
  void aRestartedServerHasTheBeginningCachedAndPassesOverATornFile() throws Exception {
    Answered first;
    try (var server = start()) {
      first = ask(server);
      assertThat(first.cached()).isZero();
    }
    assertThat(files()).isNotEmpty();

    try (var server = start()) {
      var again = ask(server);
      assertThat(again.cached()).isGreaterThanOrEqualTo(96);
      assertThat(again.content()).isEqualTo(first.content());
      assertThat(get(server, "/metrics"))
          .containsPattern("vllmmlx_engine_kv_disk_blocks_read_total\\{[^}]*} [1-9]");
      assertThat(get(server, "/v1/status")).contains("\"kv_disk_files\":");
      assertThat(server.output()).doesNotContain("WARN ");
    }

    for (var file : files()) {
      var bytes = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(bytes, bytes.length - 1_000));
    }
    try (var server = start()) {
      var again = ask(server);
      assertThat(again.cached()).isZero();
      assertThat(again.content()).isEqualTo(first.content());
      assertThat(server.output()).contains("WARN", "of the prefix cache is ignored");
    }
  }

  private RunningServer start() {
    return RunningServer.start(
        "--continuous-batching", "--cache-dir", folder.toString(), "--cache-dir-size", "200MB");
  }

  private Answered ask(RunningServer server) throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(server.resolve("/v1/chat/completions"))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(BODY))
            .build();
    var body = client.send(request, BodyHandlers.ofString()).body();
    return new Answered(found(CONTENT, body), Integer.parseInt(found(CACHED, body)));
  }

  private String get(RunningServer server, String path) throws IOException, InterruptedException {
    // Figures are published at a step's end, or twice a second.
    Thread.sleep(700);
    return client
        .send(HttpRequest.newBuilder(server.resolve(path)).build(), BodyHandlers.ofString())
        .body();
  }

  private static String found(Pattern pattern, String text) {
    var match = pattern.matcher(text);
    assertThat(match.find()).as("%s in %s", pattern, text).isTrue();
    return match.group(1);
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".kv")).toList();
    }
  }
}
