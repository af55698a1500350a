package dev.vllmmlx.mlx.sequence;

import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationSink;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request's sink, kept to its contract: one terminal event, the last, and no exception that
 * reaches the thread that generates for everybody. For any threads.
 */
public final class EventOutlet {
  private static final Logger LOG = LoggerFactory.getLogger(EventOutlet.class);

  private final String requestId;
  private final GenerationSink sink;
  private final Runnable beforeEnd;
  private boolean ended;
  private volatile boolean broken;

  /**
   * @param beforeEnd runs once, just before the terminal event is handed on: what the request took
   *     is free for one that the event makes a client send
   */
  public EventOutlet(String requestId, GenerationSink sink, Runnable beforeEnd) {
    this.requestId = requestId;
    this.sink = sink;
    this.beforeEnd = beforeEnd;
  }

  /** Hands an event on, unless the terminal one was before it. */
  public synchronized void send(GenerationEvent event) {
    if (ended) {
      return;
    }
    if (event instanceof GenerationEvent.Terminal) {
      ended = true;
      beforeEnd.run();
    }
    try {
      sink.accept(event);
    } catch (RuntimeException e) {
      broken = true;
      LOG.warn("the sink of request {} threw, which cancels it", requestId, e);
    }
  }

  /** Whether the sink threw: it does not listen any more. */
  public boolean broken() {
    return broken;
  }
}
