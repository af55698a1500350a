package dev.vllmmlx.spi;

/**
 * Hears the events of one generation, in order and one at a time, though not always on the same
 * thread.
 *
 * <p>It is called by the thread that generates for everybody: it must hand the event on and return,
 * never wait for a client, and never throw. An engine treats a sink that throws as cancelled.
 */
@FunctionalInterface
public interface GenerationSink {

  void accept(GenerationEvent event);
}
