package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.tests.RunningServer;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** SIGTERM lets running answers finish, and then the process ends. */
final class EndTest {
  private final HttpClient client = HttpClient.newHttpClient();

  @Test
  void aRunningStreamFinishesAndTheProcessEnds() throws Exception {
    try (var server = RunningServer.start("--engine", "echo", "--tokens-per-second", "20")) {
      var text = "x".repeat(40); // some two seconds
      var stream =
          client.sendAsync(
              chat(server, "{\"stream\": true, \"messages\": " + messages(text) + "}"),
              BodyHandlers.ofString());
      awaitRunning(server);
      server.process().destroy(); // SIGTERM
      Thread.sleep(300);
      assertThat(send(server, "{\"messages\": " + messages("late") + "}").statusCode())
          .isEqualTo(503);
      var chunks = stream.get(30, TimeUnit.SECONDS).body();
      assertThat(chunks).endsWith("data: [DONE]\n\n").contains("\"finish_reason\":\"stop\"");
      assertThat(server.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(server.output()).contains("ended");
    }
  }

  @Test
  void promptsAreNotLogged() throws Exception {
    try (var server = RunningServer.start("--engine", "echo", "--log-level", "trace")) {
      assertThat(send(server, "{\"messages\": " + messages("a-secret-word") + "}").body())
          .contains("a-secret-word");
      send(server, "{\"temperature\": 7, \"messages\": " + messages("a-secret-word") + "}");
      assertThat(server.output())
          .contains("POST /v1/chat/completions 200")
          .doesNotContain("secret");
    }
  }

  private void awaitRunning(RunningServer server) throws IOException, InterruptedException {
    for (var i = 0; i < 200; i++) {
      var health =
          client.send(
              HttpRequest.newBuilder(server.resolve("/health")).build(), BodyHandlers.ofString());
      if (health.body().contains("\"running\":1")) {
        return;
      }
      Thread.sleep(25);
    }
    throw new AssertionError("the request never ran");
  }

  private HttpResponse<String> send(RunningServer server, String body)
      throws IOException, InterruptedException {
    return client.send(chat(server, body), BodyHandlers.ofString());
  }

  private static HttpRequest chat(RunningServer server, String body) {
    return HttpRequest.newBuilder(server.resolve("/v1/chat/completions"))
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(body))
        .build();
  }

  private static String messages(String text) {
    return "[{\"role\": \"user\", \"content\": \"" + text + "\"}]";
  }
}
