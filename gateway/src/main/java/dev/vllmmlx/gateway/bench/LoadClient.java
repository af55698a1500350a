package dev.vllmmlx.gateway.bench;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxException;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import java.io.IOException;
import java.net.ConnectException;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Asks an OpenAI server. Any thread may, and waits; one event loop receives for all, and only notes
 * what comes and when: the server that is measured may be on the same cores.
 */
final class LoadClient implements AutoCloseable {
  private static final int CONNECT_SECONDS = 10;

  private final LoadPlan plan;
  private final JsonMapper json = JsonMapper.shared();
  private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
  private final HttpClient client;
  private volatile boolean ignoreEos = true;

  LoadClient(LoadPlan plan) {
    this.plan = plan;
    // Arrivals at random may come to all of them at once.
    this.client =
        vertx.createHttpClient(
            new HttpClientOptions().setConnectTimeout(CONNECT_SECONDS * 1000),
            new PoolOptions().setHttp1MaxSize(Math.max(1, plan.requests())));
  }

  /** The first model that the server lists. */
  String firstModel() throws IOException, InterruptedException {
    try {
      var answer = result(askAgain(HttpMethod.GET, "/v1/models", Buffer.buffer()));
      if (answer.status() != 200) {
        throw new IOException("GET /v1/models answered " + answer.status());
      }
      return json.readTree(answer.text()).at("/data/0/id").asString();
    } catch (JacksonException e) {
      throw new IOException("GET /v1/models did not answer with a list of models", e);
    } catch (ExecutionException e) {
      throw new IOException("GET /v1/models failed: " + kind(e.getCause()), e.getCause());
    }
  }

  /** Whether answers end where the model wants: the server refused {@code ignore_eos}. */
  boolean answersMayBeShorter() {
    return !ignoreEos;
  }

  /** Asks for an answer in a stream. Whatever goes wrong is an outcome. */
  RequestOutcome send(String model, String prompt, int maxTokens) throws InterruptedException {
    var sentWith = ignoreEos;
    var start = System.nanoTime();
    try {
      var answer = result(post(body(model, prompt, maxTokens, true)));
      if (answer.status() == 200) {
        return StreamedAnswer.of(answer, start);
      }
      if (sentWith && answer.status() == 400 && answer.text().contains("ignore_eos")) {
        ignoreEos = false;
        return send(model, prompt, maxTokens);
      }
      return new RequestOutcome.Failed("HTTP " + answer.status());
    } catch (ExecutionException e) {
      return new RequestOutcome.Failed(kind(e.getCause()));
    } catch (JacksonException e) {
      return new RequestOutcome.Failed(kind(e));
    }
  }

  /**
   * How many tokens the server counts in a prompt. It is asked for a whole answer: some servers
   * count in those alone.
   *
   * @return empty where it does not say
   */
  OptionalInt promptTokens(String model, String prompt) throws IOException, InterruptedException {
    try {
      var answer = result(post(body(model, prompt, 1, false)));
      if (answer.status() != 200) {
        return OptionalInt.empty();
      }
      var tokens = json.readTree(answer.text()).at("/usage/prompt_tokens").asInt(0);
      return tokens > 0 ? OptionalInt.of(tokens) : OptionalInt.empty();
    } catch (JacksonException e) {
      return OptionalInt.empty();
    } catch (ExecutionException e) {
      throw new IOException("a prompt was not answered: " + kind(e.getCause()), e.getCause());
    }
  }

  private Future<TimedBody> post(Buffer body) {
    return askAgain(
        HttpMethod.POST, plan.chat() ? "/v1/chat/completions" : "/v1/completions", body);
  }

  /** A server may close a connection just when it is used again: that is no failure. */
  private Future<TimedBody> askAgain(HttpMethod method, String path, Buffer body) {
    return ask(method, path, body)
        .recover(
            e ->
                e instanceof HttpClosedException
                    ? ask(method, path, body)
                    : Future.failedFuture(e));
  }

  /** Fails with {@link HttpClosedException} only where nothing of an answer came. */
  private Future<TimedBody> ask(HttpMethod method, String path, Buffer body) {
    var options =
        new RequestOptions()
            .setMethod(method)
            .setAbsoluteURI(plan.url().resolve(path).toString())
            .putHeader("Content-Type", "application/json");
    plan.apiKey().ifPresent(key -> options.putHeader("Authorization", "Bearer " + key));
    return client
        .request(options)
        .compose(
            request ->
                request
                    .send(body)
                    .compose(TimedBody::receive)
                    .timeout(plan.timeout(), TimeUnit.SECONDS)
                    .onFailure(_ -> request.reset()));
  }

  private static <T> T result(Future<T> future) throws ExecutionException, InterruptedException {
    return future.toCompletionStage().toCompletableFuture().get();
  }

  private Buffer body(String model, String prompt, int maxTokens, boolean stream) {
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
    if (ignoreEos) {
      body.put("ignore_eos", true);
    }
    return Buffer.buffer(json.writeValueAsBytes(body));
  }

  private static String kind(Throwable cause) {
    return switch (cause) {
      case TimeoutException _ -> "timeout";
      case ConnectException _ -> "cannot connect";
      case JacksonException _ -> "not JSON";
      case IOException _, VertxException _ -> "connection lost";
      default -> cause.toString();
    };
  }

  @Override
  public void close() {
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}
