package dev.vllmmlx.gateway.mcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.gateway.openai.McpField;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.mcp.ToolSession;
import dev.vllmmlx.mcp.tool.ToolSelection;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Message.ToolCall;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Tool;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ToolRoundsTest {
  private static final Tool CLIENTS = new Tool("lookup", Optional.empty(), Optional.empty(), false);

  @TempDir static Path folder;
  private static McpTools mcp;

  private final Queue<McpEvent> events = new ConcurrentLinkedQueue<>();

  @BeforeAll
  static void start() {
    mcp = RealServers.start(folder, McpMode.AUTO, "{'maxToolRounds': 2}");
  }

  @AfterAll
  static void end() {
    mcp.bridge().close();
  }

  @Test
  void runsCallsAndPutsTheirResultsBehindTheConversation() throws Exception {
    try (var session = session(ToolSelection.usual())) {
      var rounds = rounds(session);
      var calls =
          List.of(
              new ToolCall("a", "odd__echo", "{\"text\": \"one\"}"),
              new ToolCall("b", "odd__echo", "{\"text\": \"two\"}"));
      var next = run(rounds, new ToolRounds.Answer("Let me see.", "", calls));
      assertThat(next.messages().stream().map(Message::role))
          .containsExactly("user", "assistant", "tool", "tool");
      assertThat(next.messages().get(1).toolCalls()).isEqualTo(calls);
      assertThat(next.messages().get(1).content())
          .contains(new Message.Content.Plain("Let me see."));
      assertThat(next.messages().get(2)).isEqualTo(result("a", "odd__echo", "one"));
      assertThat(next.messages().get(3)).isEqualTo(result("b", "odd__echo", "two"));
      assertThat(next.tools()).contains(CLIENTS).hasSizeGreaterThan(5);
      assertThat(events).hasSize(4).allMatch(event -> event.round() == 1);
      assertThat(events.stream().map(event -> event.describe().get("type").stringValue()))
          .containsOnly("tool_call", "tool_result");
    }
  }

  @Test
  void whatGoesWrongIsTheModelsToRead() throws Exception {
    try (var session = session(ToolSelection.usual())) {
      var next =
          run(
              rounds(session),
              new ToolRounds.Answer(
                  "",
                  "",
                  List.of(
                      new ToolCall("a", "odd__echo", "{\"text\": 5}"),
                      new ToolCall("b", "odd__echo", "{\"text"),
                      new ToolCall("c", "odd__fail", "{}"),
                      new ToolCall("d", "odd__crash", "{}"))));
      var tools = next.messages().subList(2, 6);
      assertThat(tools).allMatch(message -> message.role().equals("tool"));
      assertThat(text(tools.get(0))).startsWith("Error: the call was not made:");
      assertThat(text(tools.get(1))).startsWith("Error: the call was not made:");
      assertThat(text(tools.get(3))).startsWith("Error: the call failed:");
      assertThat(next.messages().get(1).content()).isEmpty();
      // Its end may not have been seen yet: only a further start tells that it is up again.
      org.awaitility.Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  mcp.bridge().servers().stream()
                      .anyMatch(it -> it.name().equals("odd") && it.starts() == 2));
    }
  }

  @Test
  void runsOursFirstWhereTheClientsAreCalledToo() throws Exception {
    try (var session = session(ToolSelection.usual())) {
      var rounds = rounds(session);
      var ours = new ToolCall("b", "odd__echo", "{\"text\": \"x\"}");
      var answer = new ToolRounds.Answer("", "", List.of(new ToolCall("a", "lookup", "{}"), ours));
      assertThat(rounds.ours(answer)).containsExactly(ours);
      assertThat(run(rounds, answer).messages().get(1).toolCalls()).containsExactly(ours);
      assertThat(rounds.ours(new ToolRounds.Answer("", "", answer.calls().subList(0, 1))))
          .isEmpty();
    }
  }

  @Test
  void takesOurToolsAwayAfterTheLastRound() throws Exception {
    try (var session = session(ToolSelection.usual())) {
      var rounds = rounds(session);
      var answer =
          new ToolRounds.Answer(
              "", "", List.of(new ToolCall("a", "odd__echo", "{\"text\": \"x\"}")));
      assertThat(run(rounds, answer).tools()).hasSizeGreaterThan(1);
      assertThat(run(rounds, answer).tools()).containsExactly(CLIENTS);
      assertThat(rounds.isLast()).isTrue();
    }
  }

  @Test
  void closingTheSessionEndsWhatRuns() throws Exception {
    var session = session(ToolSelection.usual());
    var running =
        rounds(session)
            .run(new ToolRounds.Answer("", "", List.of(new ToolCall("a", "odd__hang", "{}"))));
    Thread.sleep(200);
    assertThat(running).isNotDone();
    session.close();
    var next = running.get(5, TimeUnit.SECONDS);
    assertThat(text(next.messages().getLast())).isEqualTo("Error: the call was cancelled.");
  }

  @Test
  void theFieldSaysWhichToolsAndWhoRunsThem() {
    assertThat(named("false")).isEmpty();
    assertThat(named("{'servers': ['time']}"))
        .containsExactlyInAnyOrder("time__get_current_time", "time__convert_time");
    assertThat(named("{'tools': ['*__echo']}")).containsExactly("odd__echo");
    try (var session = session(field("{'execute': 'none'}"))) {
      assertThat(rounds(session).isOurs("odd__echo")).isFalse();
    }
    try (var session =
        new McpTools(mcp.bridge(), McpMode.INJECT)
            .session("r", ToolSelection.usual(), Set.of(), Optional.empty())) {
      assertThat(session.tools()).isNotEmpty();
      assertThat(rounds(session).isOurs("odd__echo")).isFalse();
    }
    try (var session =
        new McpTools(mcp.bridge(), McpMode.OFF)
            .session("r", ToolSelection.usual(), Set.of(), Optional.empty())) {
      assertThat(session.tools()).isEmpty();
    }
  }

  @Test
  void theClientsOwnToolsStayTheClients() {
    try (var session =
        mcp.session("r", ToolSelection.usual(), Set.of("odd__echo"), Optional.empty())) {
      assertThat(session.find("odd__echo")).isEmpty();
    }
  }

  @Test
  void aWrongFieldIsNamed() {
    Map.of(
            "5", "mcp",
            "{'server': []}", "mcp.server",
            "{'servers': 'time'}", "mcp.servers",
            "{'tools': ['a', 5]}", "mcp.tools[1]",
            "{'execute': true}", "mcp.execute")
        .forEach(
            (json, name) ->
                assertThatThrownBy(() -> named(json))
                    .as(json)
                    .isInstanceOfSatisfying(
                        ApiException.class, e -> assertThat(e.error().field()).contains(name)));
  }

  private static List<String> named(String json) {
    try (var session = session(field(json))) {
      return session.tools().stream().map(it -> it.name()).toList();
    }
  }

  private static ToolSelection field(String json) {
    JsonNode node = JsonMapper.shared().readTree(json.replace('\'', '"'));
    return McpField.read(Optional.of(node));
  }

  private static ToolSession session(ToolSelection selection) {
    return mcp.session("request", selection, Set.of(), Optional.empty());
  }

  private ToolRounds rounds(ToolSession session) {
    var tools =
        Stream.concat(Stream.of(CLIENTS), session.tools().stream().map(it -> it.definition()));
    var prompt =
        new Prompt.Chat(List.of(Message.of("user", "hello")), tools.toList(), Map.of(), false);
    return new ToolRounds(session, prompt, events::add);
  }

  private static Prompt.Chat run(ToolRounds rounds, ToolRounds.Answer answer) throws Exception {
    return rounds.run(answer).get(20, TimeUnit.SECONDS);
  }

  private static Message result(String id, String name, String text) {
    return new Message(
        "tool",
        Optional.of(new Message.Content.Plain(text)),
        Optional.empty(),
        List.of(),
        Optional.of(id),
        Optional.of(name));
  }

  private static String text(Message message) {
    return ((Message.Content.Plain) message.content().orElseThrow()).text();
  }
}
