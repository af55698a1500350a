package dev.vllmmlx.spi;

/** A request that an engine is answering. */
public interface Generation {

  /**
   * Asks for the end of this generation, from any thread, without waiting. Unless it has ended, its
   * terminal event is {@link GenerationEvent.Finished} with {@link FinishReason#CANCELLED}, after
   * at most one more step. A second call, or one after the end, does nothing.
   */
  void cancel();
}
