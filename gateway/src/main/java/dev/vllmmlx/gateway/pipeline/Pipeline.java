package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.Engine;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;

/**
 * Answers calls with an engine, and knows which are under way. May be used from several event
 * loops.
 */
public final class Pipeline {
  private final Vertx vertx;
  private final Engine engine;
  private final StreamReply.Pace pace;
  private final Set<Answering> underWay = ConcurrentHashMap.newKeySet();

  private record Answering(Run run, io.vertx.core.Context loop, Promise<Void> end) {}

  /**
   * @param interval tokens per chunk of a stream
   * @param keepAlive after so long without a chunk a comment is sent
   * @param stalled after so long without reading a client is cut off
   */
  public Pipeline(Vertx vertx, Engine engine, int interval, Duration keepAlive, Duration stalled) {
    this.vertx = vertx;
    this.engine = engine;
    this.pace = new StreamReply.Pace(interval, keepAlive, stalled);
  }

  /**
   * Answers a call on the request's response. To be called on the request's event loop.
   *
   * @param onEnd hears the choices, and the error if there was one (else null), when the answer is
   *     done or the client is gone
   */
  public void answer(
      HttpServerRequest request,
      Call call,
      String id,
      String tenant,
      ReplyEncoder encoder,
      BiConsumer<List<ChoiceState>, ApiError> onEnd) {
    var response = request.response();
    var loop = vertx.getOrCreateContext();
    var end = Promise.<Void>promise();
    var run = new Run[1];
    var inner =
        call.stream()
            ? new StreamReply(
                vertx,
                response,
                encoder,
                () -> run[0].choices(),
                call.includeUsage(),
                pace,
                () -> request.connection().close())
            : new BodyReply(response, encoder, () -> run[0].choices());
    var reply = new Reported(inner, () -> run[0].choices(), onEnd);
    run[0] = new Run(loop, engine, reply, end::tryComplete);
    var answering = new Answering(run[0], loop, end);
    underWay.add(answering);
    end.future().onComplete(_ -> underWay.remove(answering));
    response.closeHandler(
        _ -> {
          if (inner instanceof StreamReply stream) {
            stream.gone();
          }
          if (!run[0].isEnded()) {
            run[0].cancel();
            reply.gone();
          }
        });
    run[0].start(call, id, tenant);
  }

  /** How many calls are under way. */
  public int underWay() {
    return underWay.size();
  }

  /**
   * Waits for the calls under way. Those that are not done in time end with an error.
   *
   * @return completes when none is left
   */
  public Future<Void> drain(Duration timeout) {
    var ends = underWay.stream().map(answering -> answering.end().future()).toList();
    var all = Future.join(ends).<Void>mapEmpty();
    if (all.isComplete()) {
      return all;
    }
    var timer =
        vertx.setTimer(
            Math.max(1, timeout.toMillis()),
            _ ->
                underWay.forEach(
                    answering ->
                        answering
                            .loop()
                            .runOnContext(_ -> answering.run().abort(ApiError.draining()))));
    return all.onComplete(_ -> vertx.cancelTimer(timer));
  }

  /** Tells the access log how a reply ended, once. */
  private static final class Reported implements Reply {
    private final Reply reply;
    private final java.util.function.Supplier<List<ChoiceState>> choices;
    private final BiConsumer<List<ChoiceState>, ApiError> onEnd;

    Reported(
        Reply reply,
        java.util.function.Supplier<List<ChoiceState>> choices,
        BiConsumer<List<ChoiceState>, ApiError> onEnd) {
      this.reply = reply;
      this.choices = choices;
      this.onEnd = onEnd;
    }

    @Override
    public void started(ChoiceState choice) {
      reply.started(choice);
    }

    @Override
    public void advanced(ChoiceState choice) {
      reply.advanced(choice);
    }

    @Override
    public void completed() {
      reply.completed();
      onEnd.accept(choices.get(), null);
    }

    @Override
    public void failed(ApiError error) {
      reply.failed(error);
      onEnd.accept(choices.get(), error);
    }

    void gone() {
      onEnd.accept(choices.get(), ApiError.of(499, "client_gone", "the client went away"));
    }
  }
}
