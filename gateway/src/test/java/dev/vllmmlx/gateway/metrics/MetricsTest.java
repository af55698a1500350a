package dev.vllmmlx.gateway.metrics;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.Timings;
import dev.vllmmlx.spi.Usage;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private static final String CHATTING = "{'messages':[{'role':'user','content':'x'}]}";
  private static final String LABELS = "engine=\"tested\",model=\"acme/tiny-model\"";

  private final ScriptedEngine engine = new ScriptedEngine();
  private final TestServer server = new TestServer(engine);

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  /** What stands at each name with its labels. */
  private Map<String, Double> scrape() {
    var response = server.get("/metrics");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type"))
        .contains("text/plain; version=0.0.4; charset=utf-8");
    var values = new HashMap<String, Double>();
    for (var line : response.body().lines().toList()) {
      if (!line.startsWith("#")) {
        var space = line.lastIndexOf(' ');
        assertThat(line).startsWith("vllmmlx_").contains("engine=\"tested\"", "model=");
        values.put(line.substring(0, space), Double.valueOf(line.substring(space + 1)));
      }
    }
    return values;
  }

  private static String plain(String name) {
    return "vllmmlx_%s{%s}".formatted(name, LABELS);
  }

  private static String outcome(String name) {
    return "vllmmlx_requests_total{%s,outcome=\"%s\"}".formatted(LABELS, name);
  }

  private static String bucket(String name, String least) {
    return "vllmmlx_%s_bucket{%s,le=\"%s\"}".formatted(name, LABELS, least);
  }

  @Test
  void countsTokensAndTimes() throws Exception {
    var reply = server.postLater(CHAT, CHATTING);
    var choice = engine.asked(0).started(100, 64);
    Thread.sleep(60);
    choice.text("a").delta("held", 0, List.of());
    Thread.sleep(60);
    choice.delta("bcd", 3, List.of());
    choice.send(
        new GenerationEvent.Finished(
            FinishReason.LENGTH,
            Optional.empty(),
            new Usage(100, 64, 4),
            new Timings(Duration.ofMillis(20), Duration.ofMillis(200), Duration.ofMillis(60))));
    assertThat(reply.join().statusCode()).isEqualTo(200);

    var values = scrape();
    assertThat(values)
        .containsEntry(plain("prefill_tokens_total"), 36.0)
        .containsEntry(plain("cached_tokens_total"), 64.0)
        .containsEntry(plain("decode_tokens_total"), 4.0)
        .containsEntry(outcome("length"), 1.0)
        .containsEntry(plain("queue_time_seconds_count"), 1.0)
        .containsEntry(plain("queue_time_seconds_sum"), 0.02)
        .containsEntry(bucket("queue_time_seconds", "0.01"), 0.0)
        .containsEntry(bucket("queue_time_seconds", "0.05"), 1.0)
        .containsEntry(bucket("queue_time_seconds", "300.0"), 1.0)
        .containsEntry(bucket("queue_time_seconds", "+Inf"), 1.0)
        .containsEntry(plain("prefill_time_seconds_sum"), 0.2)
        .containsEntry(plain("time_to_first_token_seconds_count"), 1.0)
        .containsEntry(bucket("time_to_first_token_seconds", "0.05"), 0.0)
        .containsEntry(plain("inter_token_latency_seconds_count"), 3.0)
        .containsEntry(bucket("inter_token_latency_seconds", "0.01"), 0.0)
        .containsEntry(plain("request_duration_seconds_count"), 1.0);
    // Three tokens at once are as many waits, which together are the one.
    assertThat(values.get(plain("inter_token_latency_seconds_sum"))).isBetween(0.06, 5.0);
    assertThat(values.get(plain("request_duration_seconds_sum"))).isBetween(0.12, 10.0);
  }

  @Test
  void countsRequestsByOutcome() {
    engine.says("x");
    server.post(CHAT, CHATTING);
    server.post(COMPLETIONS, "{'prompt':'x'}");
    engine.script(it -> it.fail(new EngineException.Overloaded("full", Duration.ofSeconds(1))));
    server.post(CHAT, CHATTING);
    engine.script(it -> it.started(1, 0));
    server.post(COMPLETIONS, "{'prompt':'x','timeout':0.01}");
    var reply = server.postLater(CHAT, CHATTING);
    server.post("/v1/requests/%s/cancel".formatted(engine.asked(4).request().id()), "");
    reply.join();
    server.post(CHAT, "{'messages':7}");
    server.post(CHAT, "{'model':'other'}");
    var values = scrape();
    assertThat(values)
        .containsEntry(outcome("stop"), 2.0)
        .containsEntry(outcome("overloaded"), 1.0)
        .containsEntry(outcome("request_timeout"), 1.0)
        .containsEntry(outcome("abort"), 1.0)
        .containsEntry(outcome("invalid_type"), 1.0)
        .containsEntry(outcome("model_not_found"), 1.0);
  }

  @Test
  void showsWhatTheEngineSays() {
    engine.status(
        new EngineStatus(
            EngineStatus.State.READY,
            "",
            Duration.ofMillis(250),
            3,
            4,
            Map.of("blocks_used", 17.0, "preemptions_total", 5.0, "Bad Name{}", 1.0)));
    assertThat(scrape())
        .containsEntry(plain("requests_running"), 3.0)
        .containsEntry(plain("requests_waiting"), 4.0)
        .containsEntry(plain("ready"), 1.0)
        .containsEntry(plain("seen_alive_seconds_ago"), 0.25)
        .containsEntry(plain("engine_blocks_used"), 17.0)
        .containsEntry(plain("engine_preemptions_total"), 5.0);
    assertThat(server.get("/metrics").body())
        .contains("# TYPE vllmmlx_engine_blocks_used gauge")
        .contains("# TYPE vllmmlx_engine_preemptions_total counter")
        .doesNotContain("Bad");
    // Those that come later, and those that are not said any more.
    engine.status(
        new EngineStatus(
            EngineStatus.State.FAILED,
            "broken",
            Duration.ZERO,
            0,
            0,
            Map.of("blocks_free", 2.0, "preemptions_total", 6.0)));
    assertThat(scrape())
        .containsEntry(plain("ready"), 0.0)
        .containsEntry(plain("engine_blocks_used"), Double.NaN)
        .containsEntry(plain("engine_blocks_free"), 2.0)
        .containsEntry(plain("engine_preemptions_total"), 6.0);
  }

  @Test
  void aGatewayCountsForItselfAlone() {
    engine.says("x");
    try (var other = new TestServer(engine)) {
      other.post(CHAT, CHATTING);
      assertThat(other.get("/metrics").body()).contains(outcome("stop") + " 1.0");
    }
    assertThat(scrape()).doesNotContainKey(outcome("stop"));
  }

  @Test
  void needsNoKey() {
    try (var closed = new TestServer(engine, it -> it.withKeys(List.of("secret")))) {
      var request = closed.postLater(CHAT, CHATTING);
      assertThat(request.join().statusCode()).isEqualTo(401);
      assertThat(closed.get("/metrics").statusCode()).isEqualTo(200);
    }
  }
}
