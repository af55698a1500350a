package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.tests.RunningServer;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The batched engine over its paged cache as clients meet it: however a request ends, its blocks go
 * back, and the pool's count says so; many at once are answered or told to come back.
 */
final class BatchedServerTest {
  private static final JsonMapper JSON = JsonMapper.shared();

  private static RunningServer server;

  private final HttpClient client = HttpClient.newHttpClient();

  @BeforeAll
  static void start() {
    server = start("--max-queue", "64", "--max-num-seqs", "16", "--kv-cache-memory", "256MB");
  }

  private static RunningServer start(String... options) {
    var all = new ArrayList<>(List.of("--engine", "batched", "--use-paged-cache"));
    all.addAll(List.of(options));
    return RunningServer.start(all.toArray(String[]::new));
  }

  @AfterAll
  static void end() {
    server.close();
  }

  @Test
  void aClientThatLeavesGivesItsBlocksBack() throws Exception {
    var leaving = HttpClient.newHttpClient();
    leaving.sendAsync(completion(server, "leaves", "\"stream\": true"), BodyHandlers.ofLines());
    awaitBlocks(server, true);
    leaving.shutdownNow();
    awaitBlocks(server, false);
  }

  @Test
  void cancellingGivesItsBlocksBack() throws Exception {
    var answer = client.sendAsync(completion(server, "to-cancel", ""), BodyHandlers.ofString());
    awaitBlocks(server, true);
    var id = status(server).at("/requests/0/id").asString();
    var cancelled =
        client.send(
            HttpRequest.newBuilder(server.resolve("/v1/requests/" + id + "/cancel"))
                .POST(BodyPublishers.noBody())
                .build(),
            BodyHandlers.ofString());
    assertThat(cancelled.statusCode()).isEqualTo(200);
    var reply = json(answer.get(20, TimeUnit.SECONDS));
    assertThat(reply.path("id").asString()).isEqualTo(id);
    assertThat(reply.at("/choices/0/finish_reason").asString()).isEqualTo("abort");
    awaitBlocks(server, false);
  }

  @Test
  void theFieldTimeoutEndsAnAnswer() throws Exception {
    var reply =
        client.send(completion(server, "times out", "\"timeout\": 0.7"), BodyHandlers.ofString());
    assertThat(reply.statusCode()).isEqualTo(504);
    assertThat(json(reply).at("/error/code").asString()).isEqualTo("request_timeout");
    awaitBlocks(server, false);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--timeout 0.7 request_timeout", "--token-timeout 0.001 token_timeout"})
  void theServersTimeLimitsEndAnAnswer(String limit) throws Exception {
    var parts = limit.split(" ");
    try (var limited = start(parts[0], parts[1])) {
      var reply = client.send(completion(limited, "times out", ""), BodyHandlers.ofString());
      assertThat(reply.statusCode()).isEqualTo(504);
      assertThat(json(reply).at("/error/code").asString()).isEqualTo(parts[2]);
      awaitBlocks(limited, false);
    }
  }

  @Test
  void aPromptThatCameBeforeIsNotComputedAgain() throws Exception {
    var fields = "\"max_tokens\": 4";
    var prompt = "All that is said here is said twice. ".repeat(20);
    var first = json(client.send(completion(server, prompt, fields), BodyHandlers.ofString()));
    awaitBlocks(server, false);
    var second = json(client.send(completion(server, prompt, fields), BodyHandlers.ofString()));
    var tokens = first.at("/usage/prompt_tokens").asInt();
    assertThat(first.at("/usage/prompt_tokens_details/cached_tokens").asInt()).isZero();
    assertThat(second.at("/usage/prompt_tokens_details/cached_tokens").asInt())
        .isEqualTo(tokens - 1);
    assertThat(second.at("/choices/0/text")).isEqualTo(first.at("/choices/0/text"));
  }

  @Test
  void statusAndMetricsTellHowItFares() throws Exception {
    client.send(completion(server, "Hello", "\"max_tokens\": 3"), BodyHandlers.ofString());
    awaitBlocks(server, false);
    var gauges = status(server).at("/engine/gauges");
    assertThat(gauges.propertyNames())
        .contains(
            "kv_blocks",
            "kv_blocks_used",
            "kv_blocks_free",
            "kv_blocks_cached",
            "prefix_hit_rate",
            "preemptions_total",
            "tokens_per_second",
            "live_handles",
            "mlx_active_bytes");
    assertThat(gauges.path("kv_blocks").asInt())
        .isEqualTo(
            gauges.path("kv_blocks_used").asInt()
                + gauges.path("kv_blocks_free").asInt()
                + gauges.path("kv_blocks_cached").asInt());
    var metrics =
        client
            .send(
                HttpRequest.newBuilder(server.resolve("/metrics")).build(), BodyHandlers.ofString())
            .body();
    for (var name :
        List.of(
            "vllmmlx_requests_total",
            "vllmmlx_queue_time_seconds_count",
            "vllmmlx_time_to_first_token_seconds_count",
            "vllmmlx_inter_token_latency_seconds_count",
            "vllmmlx_prefill_tokens_total",
            "vllmmlx_decode_tokens_total",
            "vllmmlx_engine_prefix_tokens_cached_total",
            "vllmmlx_engine_prefix_tokens_unseen_total",
            "vllmmlx_engine_prefix_tokens_evicted_total",
            "vllmmlx_engine_kv_blocks_used",
            "vllmmlx_engine_live_handles",
            "vllmmlx_engine_mlx_active_bytes")) {
      assertThat(metrics)
          .containsPattern(
              Pattern.quote(name) + "\\{[^}]*engine=\"batched\"[^}]*model=\"[^\"]+\"[^}]*\\} ");
    }
    // What goes up and down is no counter: that alone may be named _total.
    assertThat(metrics).contains("# TYPE vllmmlx_engine_kv_blocks gauge");
  }

  @Test
  void aRunningRequestSaysHowFarItHasCome() throws Exception {
    var answer =
        client.sendAsync(completion(server, "long", "\"timeout\": 20"), BodyHandlers.ofString());
    awaitBlocks(server, true);
    JsonNode request = JSON.missingNode();
    for (var i = 0; i < 400 && !request.path("phase").asString("").equals("decode"); i++) {
      Thread.sleep(20);
      request = status(server).at("/requests/0");
    }
    assertThat(request.path("phase").asString()).isEqualTo("decode");
    assertThat(request.path("computed_tokens").asInt())
        .isEqualTo(request.path("prompt_tokens").asInt());
    client.send(
        HttpRequest.newBuilder(
                server.resolve("/v1/requests/" + request.path("id").asString() + "/cancel"))
            .POST(BodyPublishers.noBody())
            .build(),
        BodyHandlers.ofString());
    answer.get(20, TimeUnit.SECONDS);
  }

  @Test
  void ofTwoHundredAtOnceEachIsAnsweredOrToldToComeBack() throws Exception {
    var calls = new ArrayList<CompletableFuture<HttpResponse<String>>>();
    for (var i = 0; i < 200; i++) {
      calls.add(
          client.sendAsync(
              completion(server, "Number " + i, "\"max_tokens\": 8"), BodyHandlers.ofString()));
    }
    var statuses = new HashMap<Integer, Integer>();
    for (var call : calls) {
      var reply = call.get(120, TimeUnit.SECONDS);
      statuses.merge(reply.statusCode(), 1, Integer::sum);
      if (reply.statusCode() == 429) {
        assertThat(reply.headers().firstValueAsLong("retry-after")).isPresent();
      } else {
        assertThat(json(reply).at("/usage/completion_tokens").asInt()).isEqualTo(8);
      }
    }
    assertThat(statuses.keySet()).isSubsetOf(200, 429);
    // As many as run and wait at once are never refused.
    assertThat(statuses.get(200)).isGreaterThanOrEqualTo(80);
    awaitBlocks(server, false);
    var gauges = status(server).at("/engine/gauges");
    assertThat(gauges.path("kv_bytes_budget").asLong()).isLessThanOrEqualTo(256L << 20);
    assertThat(gauges.path("kv_bytes").asLong())
        .isLessThanOrEqualTo(gauges.path("kv_bytes_budget").asLong());
  }

  private static HttpRequest completion(RunningServer server, String prompt, String more) {
    var body =
        "{\"prompt\": %s, \"temperature\": 0, \"ignore_eos\": true%s}"
            .formatted(
                JSON.writeValueAsString(prompt),
                (more.contains("max_tokens") ? "" : ", \"max_tokens\": 4000")
                    + (more.isEmpty() ? "" : ", " + more));
    return HttpRequest.newBuilder(server.resolve("/v1/completions"))
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(body))
        .build();
  }

  private JsonNode status(RunningServer server) throws IOException, InterruptedException {
    return json(
        client.send(
            HttpRequest.newBuilder(server.resolve("/v1/status")).build(), BodyHandlers.ofString()));
  }

  private static JsonNode json(HttpResponse<String> reply) {
    return JSON.readTree(reply.body());
  }

  /** Waits until sequences hold blocks, or until nothing runs and none does. */
  private void awaitBlocks(RunningServer server, boolean used) throws Exception {
    JsonNode engine = JSON.missingNode();
    for (var i = 0; i < 400; i++) {
      engine = status(server).path("engine");
      var blocks = engine.at("/gauges/kv_blocks_used").asInt();
      if (used ? blocks > 0 : blocks == 0 && engine.path("running").asInt() == 0) {
        return;
      }
      Thread.sleep(25);
    }
    throw new AssertionError((used ? "no block was used: " : "blocks are held: ") + engine);
  }
}
