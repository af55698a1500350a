package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.gateway.pipeline.ReplyEncoder.Totals;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.impl.ConnectionBase;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * The reply as server-sent events. A client that reads slowly gets fewer and longer chunks: what
 * cannot be written stays in its choice. One that does not read at all is cut off.
 */
final class StreamReply implements Reply {
  private static final Buffer DONE = Buffer.buffer("data: [DONE]\n\n");
  private static final Buffer KEEP_ALIVE = Buffer.buffer(": keep-alive\n\n");

  private final HttpConnection connection;
  private final HttpServerResponse response;
  private final ReplyEncoder encoder;
  private final List<ChoiceState> choices;
  private final boolean includeUsage;
  private final Pace pace;
  private final Vertx vertx;
  private final long timer;
  private final Promise<Void> sent = Promise.promise();

  private boolean completed;
  private boolean wroteSinceTick;
  private long fullSince; // In nanoseconds, 0 while the client takes what it gets.

  StreamReply(
      Vertx vertx,
      HttpServerRequest request,
      ReplyEncoder encoder,
      List<ChoiceState> choices,
      boolean includeUsage,
      Pace pace) {
    this.vertx = vertx;
    this.connection = request.connection();
    this.response = request.response();
    this.encoder = encoder;
    this.choices = choices;
    this.includeUsage = includeUsage;
    this.pace = pace;
    this.timer = vertx.setPeriodic(Math.max(1, pace.keepAlive().toMillis()), _ -> tick());
    sent.future().onComplete(_ -> vertx.cancelTimer(timer));
    response.drainHandler(_ -> drained());
  }

  @Override
  public void started(ChoiceState choice) {
    open(choice);
  }

  @Override
  public void advanced(ChoiceState choice) {
    open(choice);
    flush(choice);
  }

  @Override
  public Future<Void> completed() {
    completed = true;
    endIfAllIsSent();
    return sent.future();
  }

  @Override
  public Future<Void> failed(ApiError error) {
    if (response.headWritten()) {
      // The status is out: the error is an event, and no chunk pretends that the answer is whole.
      choices.stream().filter(ChoiceState::hasUnsent).forEach(this::writeText);
      write(encoder.error(error));
      settleWith(response.end());
    } else {
      settleWith(JsonReply.send(response, error, encoder.error(error)));
    }
    return sent.future();
  }

  @Override
  public void gone() {
    sent.tryFail("the client is gone");
  }

  private void open(ChoiceState choice) {
    if (choice.open()) {
      encoder.opening(choice).forEach(this::write);
    }
  }

  private void flush(ChoiceState choice) {
    if (choice.isClosed() || !choice.isDue(pace.interval()) || response.writeQueueFull()) {
      return;
    }
    if (choice.hasUnsent()) {
      writeText(choice);
    }
    if (choice.finishReason().isPresent() && choice.close()) {
      write(encoder.finish(choice));
    }
  }

  private void writeText(ChoiceState choice) {
    write(encoder.delta(choice, choice.take()));
  }

  private void drained() {
    if (response.ended()) {
      return;
    }
    fullSince = 0;
    choices.forEach(this::flush);
    endIfAllIsSent();
  }

  private void endIfAllIsSent() {
    if (!completed || response.ended() || !choices.stream().allMatch(ChoiceState::isClosed)) {
      return;
    }
    if (includeUsage) {
      write(encoder.usage(Totals.of(choices)));
    }
    writeHead();
    settleWith(response.end(DONE));
  }

  private void settleWith(Future<Void> written) {
    written.onSuccess(_ -> sent.tryComplete()).onFailure(sent::tryFail);
  }

  private void tick() {
    if (response.ended() || response.writeQueueFull()) {
      var now = System.nanoTime();
      if (fullSince == 0) {
        fullSince = now;
      } else if (now - fullSince > pace.stalled().toNanos()) {
        cutOff();
      }
    } else if (!wroteSinceTick) {
      writeHead();
      response.write(KEEP_ALIVE);
    }
    wroteSinceTick = false;
  }

  // HttpConnection.close() would first wait for the client to take what has been written.
  private void cutOff() {
    ((ConnectionBase) connection).channelHandlerContext().close();
  }

  private void write(JsonNode chunk) {
    writeHead();
    wroteSinceTick = true;
    response.write(
        Buffer.buffer("data: ").appendBuffer(JsonReply.bytes(chunk)).appendString("\n\n"));
  }

  private void writeHead() {
    if (!response.headWritten()) {
      response
          .setStatusCode(200)
          .setChunked(true)
          .putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream; charset=utf-8")
          .putHeader(HttpHeaders.CACHE_CONTROL, "no-cache")
          // nginx would otherwise hold the stream back.
          .putHeader("x-accel-buffering", "no");
    }
  }
}
