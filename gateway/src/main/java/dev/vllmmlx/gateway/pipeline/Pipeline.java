package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.RequestProgress;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Answers calls with an engine, and knows which are under way. May be used from several event
 * loops.
 */
public final class Pipeline {
  private final Vertx vertx;
  private final Engine engine;
  private final Pace pace;
  private final Optional<Duration> tokenTimeout;
  private final CallMeter meter;
  private final Set<Run> underWay = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  /**
   * @param tokenTimeout a choice that is silent for so long once it has begun ends its call
   */
  public Pipeline(
      Vertx vertx, Engine engine, Pace pace, Optional<Duration> tokenTimeout, CallMeter meter) {
    this.vertx = vertx;
    this.engine = engine;
    this.pace = pace;
    this.tokenTimeout = tokenTimeout;
    this.meter = meter;
  }

  /**
   * Answers a call on the request's response. To be called on the request's event loop.
   *
   * @param caller who asks; no other call that is under way may have its id
   * @return completes on the event loop when the answer has been sent or the client is gone; never
   *     fails
   */
  public Future<Outcome> answer(
      HttpServerRequest request, Call call, Caller caller, ReplyEncoder encoder) {
    var response = request.response();
    var choices = ChoiceState.of(call);
    var reply =
        call.stream()
            ? new StreamReply(vertx, request, encoder, choices, call.includeUsage(), pace)
            : new BodyReply(response, encoder, choices);
    var run =
        new Run(vertx.getOrCreateContext(), caller, engine, choices, reply, tokenTimeout, meter);
    underWay.add(run);
    run.end()
        .onSuccess(
            outcome -> {
              underWay.remove(run);
              meter.ended(outcome, run.age());
            });
    response.closeHandler(_ -> run.leave());
    if (response.closed()) {
      run.leave();
    } else if (draining) {
      run.abort(ApiError.draining());
    } else {
      run.start(call);
    }
    return run.end();
  }

  /**
   * Ends calls that are under way, within a step of the engine. Their replies are what was there so
   * far.
   *
   * @param id of a reply, or of its HTTP request, which several may share
   * @param tenant whose calls alone are meant; empty for everybody's
   * @return completes when the engine has ended them; empty when none was under way
   */
  public Future<List<Cancelled>> cancel(String id, Optional<String> tenant) {
    var ends =
        underWay.stream()
            .filter(run -> run.caller().isCalled(id))
            .filter(run -> run.caller().isOf(tenant))
            .map(Run::cancel)
            .toList();
    return Future.all(ends)
        .map(all -> all.<Optional<Cancelled>>list().stream().flatMap(Optional::stream).toList());
  }

  /**
   * How far the calls have come that are under way, in the words of their replies: what an engine
   * knows as several requests is one id and its choices.
   *
   * @param requests as the engine says
   * @param tenant whose calls alone are meant; empty for everybody's
   */
  public List<RequestProgress> progress(List<RequestProgress> requests, Optional<String> tenant) {
    return requests.stream()
        .flatMap(
            request ->
                underWay.stream()
                    .filter(run -> run.caller().isOf(tenant))
                    .flatMap(run -> run.inItsWords(request).stream()))
        .toList();
  }

  /** Whether no new calls are taken. */
  public boolean isDraining() {
    return draining;
  }

  /**
   * Takes no new calls from now on and waits for those under way. Those that are not done in time
   * end with an error.
   *
   * @return completes when none is left
   */
  public Future<Void> drain(Duration timeout) {
    draining = true;
    var timer =
        vertx.setTimer(
            Math.max(1, timeout.toMillis()),
            _ -> underWay.forEach(run -> run.abortFromOutside(ApiError.draining())));
    return Future.join(underWay.stream().map(Run::end).toList())
        .<Void>mapEmpty()
        .onComplete(_ -> vertx.cancelTimer(timer));
  }
}
