package dev.vllmmlx.tests.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.completions.CompletionCreateParams;
import dev.vllmmlx.tests.RunningServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** OpenAI's own Java SDK asks the default model what the README's examples ask it. */
final class OpenAiJavaModelTest {
  private static RunningServer server;
  private static OpenAIClient client;

  @BeforeAll
  static void start() {
    server = RunningServer.start();
    client =
        OpenAIOkHttpClient.builder()
            .baseUrl(server.baseUrl())
            .apiKey("not-needed")
            .maxRetries(0)
            .build();
  }

  @AfterAll
  static void end() {
    client.close();
    server.close();
  }

  private static ChatCompletionCreateParams question() {
    return ChatCompletionCreateParams.builder()
        .model("default")
        .addUserMessage("What is the capital of France?")
        .temperature(0)
        .maxCompletionTokens(24)
        .build();
  }

  @Test
  void knowsTheCapitalOfFrance() {
    var reply = client.chat().completions().create(question());
    assertThat(reply.choices().getFirst().message().content().orElseThrow()).contains("Paris");
    assertThat(reply.model()).isEqualTo(client.models().list().data().getFirst().id());
  }

  @Test
  void streamsTheSame() {
    var text = new StringBuilder();
    try (var stream = client.chat().completions().createStreaming(question())) {
      stream.stream()
          .flatMap(chunk -> chunk.choices().stream())
          .forEach(choice -> choice.delta().content().ifPresent(text::append));
    }
    assertThat(text).contains("Paris");
  }

  @Test
  void completes() {
    var reply =
        client
            .completions()
            .create(
                CompletionCreateParams.builder()
                    .model("default")
                    .prompt("The capital of France is")
                    .temperature(0)
                    .maxTokens(5)
                    .build());
    assertThat(reply.choices().getFirst().text()).contains("Paris");
  }
}
