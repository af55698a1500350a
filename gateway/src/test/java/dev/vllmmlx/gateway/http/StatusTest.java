package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.RequestProgress;
import dev.vllmmlx.spi.RequestProgress.Phase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class StatusTest {
  private final ScriptedEngine engine = new ScriptedEngine();
  private TestServer server = new TestServer(engine);

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  @Test
  void saysHowServerAndEngineFare() {
    engine.status(
        new EngineStatus(
            EngineStatus.State.FAILED,
            "no memory",
            Duration.ofMillis(12),
            3,
            4,
            Map.of("blocks_used", 17.0, "prefix_hit_rate", 0.25, "odd", Double.NaN)));
    var status = status("");
    assertThat(status.at("/server/version").asString()).isNotBlank();
    assertThat(status.at("/server/uptime_seconds").doubleValue()).isBetween(0.0, 60.0);
    assertThat(status.at("/server/draining").booleanValue()).isFalse();
    assertThat(status.get("model").asString()).isEqualTo(ScriptedEngine.MODEL);
    assertThat(status.get("engine"))
        .isEqualTo(
            TestServer.JSON.readTree(
                """
                {"name": "tested", "state": "failed", "reason": "no memory", "seen_alive_ms_ago": 12,
                 "running": 3, "waiting": 4,
                 "gauges": {"blocks_used": 17, "prefix_hit_rate": 0.25, "odd": null}}"""));
    assertThat(status.get("requests").isEmpty()).isTrue();
  }

  @Test
  void saysHowFarEachRequestHasComeByItsPublicId() {
    var chat = server.postLater(CHAT, "{'n':2,'messages':[{'role':'user','content':'x'}]}");
    engine.asked(1);
    var completion = server.postLater(COMPLETIONS, "{'prompt':['a','b'],'n':2}");
    engine.asked(5);
    var ids = engine.asked().stream().map(it -> it.request().id()).distinct().toList();
    assertThat(ids).hasSize(3);
    engine.status(
        reporting(
            new RequestProgress(ids.get(0), 1, Phase.DECODE, 7, 7, 5, Duration.ofMillis(1500)),
            new RequestProgress(ids.get(2), 1, Phase.PREFILL, 9, 4, 0, Duration.ofMillis(20)),
            new RequestProgress("stranger", 0, Phase.WAITING, 0, 0, 0, Duration.ZERO)));
    var requests = status("").get("requests");
    var cmpl = ids.get(2).replaceFirst("-1$", "");
    assertThat(requests)
        .isEqualTo(
            TestServer.JSON.readTree(
                """
                [{"id": "%s", "choice": 1, "phase": "decode", "prompt_tokens": 7,
                  "computed_tokens": 7, "generated_tokens": 5, "age_seconds": 1.5},
                 {"id": "%s", "choice": 3, "phase": "prefill", "prompt_tokens": 9,
                  "computed_tokens": 4, "generated_tokens": 0, "age_seconds": 0.02}]"""
                    .formatted(ids.get(0), cmpl)));
    // By these ids they can be ended.
    for (var request : requests) {
      var cancelled =
          server.post("/v1/requests/%s/cancel".formatted(request.get("id").asString()), "");
      assertThat(cancelled.statusCode()).isEqualTo(200);
    }
    assertThat(chat.join().statusCode()).isEqualTo(200);
    assertThat(completion.join().statusCode()).isEqualTo(200);
    assertThat(status("").get("requests").isEmpty()).isTrue();
  }

  @Test
  void showsEachKeyItsOwnRequestsAlone() {
    server.close();
    server = new TestServer(engine, settings -> settings.withKeys(List.of("one", "two")));
    for (var i = 0; i < 2; i++) {
      server.sendLater(
          server
              .posting(COMPLETIONS, "{'prompt':'x'}")
              .header("authorization", "Bearer " + List.of("one", "two").get(i))
              .build());
      engine.asked(i);
    }
    engine.status(
        reporting(
            engine.asked().stream()
                .map(it -> it.request().id())
                .map(id -> new RequestProgress(id, 0, Phase.DECODE, 1, 1, 1, Duration.ZERO))
                .toArray(RequestProgress[]::new)));
    assertThat(server.get("/v1/status").statusCode()).isEqualTo(401);
    for (var i = 0; i < 2; i++) {
      var status = status(List.of("one", "two").get(i));
      assertThat(status.at("/engine/running").intValue()).isEqualTo(2);
      assertThat(status.get("requests").size()).isEqualTo(1);
      assertThat(status.at("/requests/0/id").asString()).isEqualTo(engine.asked(i).request().id());
    }
  }

  private static EngineStatus reporting(RequestProgress... requests) {
    return new EngineStatus(
        EngineStatus.State.READY,
        "",
        Duration.ZERO,
        requests.length,
        0,
        Map.of(),
        List.of(requests));
  }

  private JsonNode status(String key) {
    var request = server.request("/v1/status").GET();
    var response =
        server.send(
            (key.isEmpty() ? request : request.header("authorization", "Bearer " + key)).build());
    assertThat(response.statusCode()).isEqualTo(200);
    return TestServer.json(response);
  }
}
