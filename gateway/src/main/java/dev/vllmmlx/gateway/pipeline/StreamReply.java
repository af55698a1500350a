package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.gateway.pipeline.ReplyEncoder.Totals;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/**
 * The reply as server-sent events. A client that reads slowly gets fewer and longer chunks: what
 * cannot be written stays in its choice. One that does not read at all is cut off.
 */
final class StreamReply implements Reply {
  private static final Buffer DONE = Buffer.buffer("data: [DONE]\n\n");
  private static final Buffer KEEP_ALIVE = Buffer.buffer(": keep-alive\n\n");

  /**
   * How a stream behaves in time.
   *
   * @param interval tokens per chunk
   * @param keepAlive after so long without a chunk a comment is sent, for proxies that cut silence
   * @param stalled after so long without the client reading it is cut off
   */
  record Pace(int interval, Duration keepAlive, Duration stalled) {}

  private final HttpServerResponse response;
  private final ReplyEncoder encoder;
  private final Supplier<List<ChoiceState>> choices;
  private final boolean includeUsage;
  private final Pace pace;
  private final Vertx vertx;
  private final Runnable cutOff;
  private final long timer;

  private boolean completed;
  private boolean wroteSinceTick;
  private long fullSince;

  StreamReply(
      Vertx vertx,
      HttpServerResponse response,
      ReplyEncoder encoder,
      Supplier<List<ChoiceState>> choices,
      boolean includeUsage,
      Pace pace,
      Runnable cutOff) {
    this.vertx = vertx;
    this.response = response;
    this.encoder = encoder;
    this.choices = choices;
    this.includeUsage = includeUsage;
    this.pace = pace;
    this.cutOff = cutOff;
    this.timer = vertx.setPeriodic(Math.max(1, pace.keepAlive().toMillis()), _ -> tick());
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
  public void completed() {
    completed = true;
    endIfAllIsSent();
  }

  @Override
  public void failed(ApiError error) {
    vertx.cancelTimer(timer);
    if (response.ended() || response.closed()) {
      return;
    }
    if (response.headWritten()) {
      // The status is out: the error is an event, and no chunk pretends that the answer is whole.
      write(encoder.error(error));
      response.end();
    } else {
      JsonReply.send(response, error, encoder.error(error));
    }
  }

  /** The client is gone. */
  void gone() {
    vertx.cancelTimer(timer);
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
      write(encoder.delta(choice, choice.take()));
    } else {
      choice.take();
    }
    if (choice.finishReason().isPresent() && choice.close()) {
      write(encoder.finish(choice));
    }
  }

  private void drained() {
    fullSince = 0;
    choices.get().forEach(this::flush);
    endIfAllIsSent();
  }

  private void endIfAllIsSent() {
    if (!completed || response.ended() || !choices.get().stream().allMatch(ChoiceState::isClosed)) {
      return;
    }
    vertx.cancelTimer(timer);
    if (includeUsage) {
      write(encoder.usage(Totals.of(choices.get())));
    }
    writeHead();
    response.end(DONE);
  }

  private void tick() {
    if (response.closed() || response.ended()) {
      vertx.cancelTimer(timer);
      return;
    }
    if (response.writeQueueFull()) {
      var now = System.nanoTime();
      if (fullSince == 0) {
        fullSince = now;
      } else if (now - fullSince > pace.stalled().toNanos()) {
        vertx.cancelTimer(timer);
        cutOff.run();
      }
    } else if (!wroteSinceTick) {
      writeHead();
      response.write(KEEP_ALIVE);
    }
    wroteSinceTick = false;
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
