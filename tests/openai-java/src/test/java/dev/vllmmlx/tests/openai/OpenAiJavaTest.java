package dev.vllmmlx.tests.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.completions.CompletionCreateParams;
import dev.vllmmlx.tests.RunningServer;
import java.util.ArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** OpenAI's own Java SDK, over HTTP, against the distribution. */
final class OpenAiJavaTest {
  private static final String TEXT = "The quick brown fox jumps over the lazy dog.";

  private static RunningServer server;
  private static OpenAIClient client;

  @BeforeAll
  static void start() {
    server = RunningServer.start("--engine", "echo", "--api-key", "secret");
    client = clientWith("secret");
  }

  @AfterAll
  static void end() {
    client.close();
    server.close();
  }

  private static OpenAIClient clientWith(String key) {
    return OpenAIOkHttpClient.builder().baseUrl(server.baseUrl()).apiKey(key).maxRetries(0).build();
  }

  private static ChatCompletionCreateParams.Builder chat() {
    return ChatCompletionCreateParams.builder().model("default").addUserMessage(TEXT);
  }

  @Test
  void chats() {
    var reply = client.chat().completions().create(chat().build());
    var choice = reply.choices().getFirst();
    assertThat(choice.message().content()).contains(TEXT);
    assertThat(choice.finishReason().asString()).isEqualTo("stop");
    assertThat(reply.usage().orElseThrow().completionTokens()).isPositive();
  }

  @Test
  void streamsWhatItChats() {
    var text = new StringBuilder();
    var ends = new ArrayList<String>();
    try (var stream = client.chat().completions().createStreaming(chat().build())) {
      stream.stream()
          .flatMap(chunk -> chunk.choices().stream())
          .forEach(
              choice -> {
                choice.delta().content().ifPresent(text::append);
                choice.finishReason().ifPresent(reason -> ends.add(reason.asString()));
              });
    }
    assertThat(text).hasToString(TEXT);
    assertThat(ends).containsExactly("stop");
  }

  @Test
  void completes() {
    var reply =
        client
            .completions()
            .create(CompletionCreateParams.builder().model("echo").prompt(TEXT).build());
    assertThat(reply.choices().getFirst().text()).isEqualTo(TEXT);
  }

  @Test
  void listsAndShowsTheModel() {
    assertThat(client.models().list().data())
        .extracting(model -> model.id())
        .containsExactly("echo");
    assertThat(client.models().retrieve("echo").id()).isEqualTo("echo");
  }

  @Test
  void mapsErrorsToItsOwnTypes() {
    assertThatThrownBy(() -> client.chat().completions().create(chat().temperature(9.0).build()))
        .isInstanceOfSatisfying(
            BadRequestException.class, e -> assertThat(e.param()).contains("temperature"));
    assertThatThrownBy(() -> client.chat().completions().create(chat().model("gpt-9").build()))
        .isInstanceOfSatisfying(
            NotFoundException.class, e -> assertThat(e.code()).contains("model_not_found"));
    var stranger = clientWith("guess");
    assertThatThrownBy(() -> stranger.chat().completions().create(chat().build()))
        .isInstanceOf(UnauthorizedException.class);
    stranger.close();
  }
}
