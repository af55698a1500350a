package dev.vllmmlx.tests.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.completions.CompletionCreateParams;
import dev.vllmmlx.tests.RunningServer;
import io.swagger.v3.oas.annotations.media.ArraySchema;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;
import java.util.Optional;
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

  /** A record would do as well; the SDK's own examples have classes with public fields. */
  @JsonClassDescription("A city")
  public static class City {
    @ArraySchema(minItems = 1, maxItems = 2)
    public List<Landmark> landmarks;

    @JsonPropertyDescription("Its size")
    public Size size;

    @Schema(minimum = "0", maximum = "99")
    public int millions;
  }

  public static class Landmark {
    public Optional<Boolean> old;
    public Size size;
  }

  public enum Size {
    SMALL,
    LARGE
  }

  @Test
  void answersAreOfTheClassThatIsAskedFor() {
    for (var seed = 0; seed < 3; seed++) {
      var reply =
          client
              .chat()
              .completions()
              .create(
                  ChatCompletionCreateParams.builder()
                      .model("default")
                      .addUserMessage("Describe Paris.")
                      .temperature(1.5)
                      .seed(seed)
                      .maxCompletionTokens(400)
                      .responseFormat(City.class)
                      .build());
      var city = reply.choices().getFirst().message().content().orElseThrow();
      assertThat(city.landmarks).hasSizeBetween(1, 2);
      assertThat(city.size).isNotNull();
      assertThat(city.millions).isBetween(0, 99);
    }
  }

  @Test
  void callsHaveTheArgumentsOfTheClassThatIsTheTool() {
    var reply = client.chat().completions().create(calling());
    var calls = reply.choices().getFirst().message().toolCalls().orElseThrow();
    assertThat(calls).isNotEmpty();
    var city = calls.getFirst().asFunction().function().arguments(City.class);
    assertThat(city.size).isNotNull();
  }

  @Test
  void aStreamOfCallsAddsUpToTheSame() {
    var accumulator = ChatCompletionAccumulator.create();
    try (var stream = client.chat().completions().createStreaming(calling())) {
      stream.stream().forEach(accumulator::accumulate);
    }
    var whole = accumulator.chatCompletion().choices().getFirst();
    assertThat(whole.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
    var city =
        whole
            .message()
            .toolCalls()
            .orElseThrow()
            .getFirst()
            .asFunction()
            .function()
            .arguments(City.class);
    assertThat(city.millions).isBetween(0, 99);
  }

  private static ChatCompletionCreateParams calling() {
    return ChatCompletionCreateParams.builder()
        .model("default")
        .addUserMessage("Describe Paris.")
        .temperature(1)
        .seed(3)
        .maxCompletionTokens(400)
        .addTool(City.class)
        .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
        .parallelToolCalls(false)
        .build();
  }
}
