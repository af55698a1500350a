package dev.vllmmlx.gateway.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Sends streaming requests to an OpenAI server and times what comes back. Any thread may call. */
final class StreamedRequest implements AutoCloseable {
  private static final double NANOS = 1e9;

  private final LoadPlan plan;
  private final String model;
  private final JsonMapper json = JsonMapper.shared();
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .executor(Executors.newVirtualThreadPerTaskExecutor())
          .build();
  private volatile boolean ignoreEos = true;

  StreamedRequest(LoadPlan plan, String model) {
    this.plan = plan;
    this.model = model;
  }

  /** The first model that a server lists. */
  static String firstModel(LoadPlan plan) throws IOException, InterruptedException {
    try (var client = HttpClient.newHttpClient()) {
      var request = request(plan, "/v1/models").GET().build();
      var response = client.send(request, HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() != 200) {
        throw new IOException("GET /v1/models answered " + response.statusCode());
      }
      return JsonMapper.shared().readTree(response.body()).at("/data/0/id").asString();
    } catch (JacksonException e) {
      throw new IOException("GET /v1/models did not answer with a list of models", e);
    }
  }

  /** Whether answers end where the model wants: the server refused {@code ignore_eos}. */
  boolean answersMayBeShorter() {
    return !ignoreEos;
  }

  /** Asks once. Whatever goes wrong is an outcome. */
  RequestOutcome send(String prompt, int maxTokens) throws InterruptedException {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var answer = threads.submit(() -> sendNow(prompt, maxTokens));
      try {
        return answer.get(plan.timeout(), TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        answer.cancel(true);
        return new RequestOutcome.Failed("timeout");
      } catch (ExecutionException e) {
        return new RequestOutcome.Failed(kind(e.getCause()));
      }
    }
  }

  /**
   * How many tokens the server counts in a prompt. It is asked for a whole answer: some servers
   * count in those alone.
   *
   * @return empty where it does not say
   */
  OptionalInt promptTokens(String prompt) throws IOException, InterruptedException {
    var request =
        post(body(prompt, 1, ignoreEos, false)).timeout(Duration.ofSeconds(plan.timeout())).build();
    var response = client.send(request, HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      return OptionalInt.empty();
    }
    try {
      var tokens = json.readTree(response.body()).at("/usage/prompt_tokens").asInt(0);
      return tokens > 0 ? OptionalInt.of(tokens) : OptionalInt.empty();
    } catch (JacksonException e) {
      return OptionalInt.empty();
    }
  }

  private RequestOutcome sendNow(String prompt, int maxTokens)
      throws IOException, InterruptedException {
    var sentWith = ignoreEos;
    var request = post(body(prompt, maxTokens, sentWith, true)).build();
    var start = System.nanoTime();
    var response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
    try (var in = response.body()) {
      if (response.statusCode() != 200) {
        var text = new String(in.readNBytes(10_000), StandardCharsets.UTF_8);
        if (sentWith && response.statusCode() == 400 && text.contains("ignore_eos")) {
          ignoreEos = false;
          return sendNow(prompt, maxTokens);
        }
        return new RequestOutcome.Failed("HTTP " + response.statusCode());
      }
      return read(new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)), start);
    }
  }

  private RequestOutcome read(BufferedReader lines, long start) throws IOException {
    var gaps = new ArrayList<Double>();
    var first = 0L;
    var last = 0L;
    var pieces = 0;
    Optional<JsonNode> usage = Optional.empty();
    var done = false;
    for (var line = lines.readLine(); line != null; line = lines.readLine()) {
      if (!line.startsWith("data:")) {
        continue;
      }
      var data = line.substring(5).strip();
      if (data.equals("[DONE]")) {
        done = true;
        break;
      }
      var chunk = json.readTree(data);
      if (chunk.has("error")) {
        return new RequestOutcome.Failed("error in the stream");
      }
      if (chunk.path("usage").isObject()) {
        usage = Optional.of(chunk.get("usage"));
      }
      if (hasText(chunk)) {
        var now = System.nanoTime();
        if (pieces++ == 0) {
          first = now;
        } else {
          gaps.add((now - last) / NANOS);
        }
        last = now;
      }
    }
    if (!done) {
      return new RequestOutcome.Failed("stream cut off");
    }
    if (pieces == 0) {
      return new RequestOutcome.Failed("no text");
    }
    var tokens = usage.map(u -> u.path("completion_tokens").asInt(0)).orElse(0);
    return new RequestOutcome.Answered(
        (first - start) / NANOS,
        gaps,
        (System.nanoTime() - start) / NANOS,
        usage.map(u -> u.path("prompt_tokens").asInt(0)).orElse(0),
        usage.map(u -> u.at("/prompt_tokens_details/cached_tokens").asInt(0)).orElse(0),
        tokens > 0 ? tokens : pieces,
        tokens > 0);
  }

  private static boolean hasText(JsonNode chunk) {
    var choice = chunk.path("choices").path(0);
    var delta = choice.path("delta");
    return !delta.path("content").asString("").isEmpty()
        || !delta.path("reasoning_content").asString("").isEmpty()
        || !choice.path("text").asString("").isEmpty();
  }

  private HttpRequest.Builder post(String body) {
    return request(plan, plan.chat() ? "/v1/chat/completions" : "/v1/completions")
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body));
  }

  private String body(String prompt, int maxTokens, boolean withIgnoreEos, boolean stream) {
    var body = json.createObjectNode();
    body.put("model", model);
    if (plan.chat()) {
      body.putArray("messages").addObject().put("role", "user").put("content", prompt);
    } else {
      body.put("prompt", prompt);
    }
    body.put("max_tokens", maxTokens);
    body.put("temperature", 0);
    body.put("stream", stream);
    if (stream) {
      body.putObject("stream_options").put("include_usage", true);
    }
    if (withIgnoreEos) {
      body.put("ignore_eos", true);
    }
    return body.toString();
  }

  private static HttpRequest.Builder request(LoadPlan plan, String path) {
    var builder = HttpRequest.newBuilder(plan.url().resolve(path));
    plan.apiKey().ifPresent(key -> builder.header("Authorization", "Bearer " + key));
    return builder;
  }

  private static String kind(Throwable cause) {
    return switch (cause) {
      case HttpTimeoutException _ -> "timeout";
      case java.net.ConnectException _ -> "cannot connect";
      case JacksonException _ -> "not JSON";
      case IOException _ -> "connection lost";
      default -> cause.toString();
    };
  }

  @Override
  public void close() {
    client.shutdownNow();
    client.close();
  }
}
