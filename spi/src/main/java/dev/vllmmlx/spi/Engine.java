package dev.vllmmlx.spi;

/**
 * A loaded model that generates. Every method may be called from any thread and at the same time.
 */
public interface Engine extends AutoCloseable {

  /** The model that this engine has loaded: the same answer for the engine's whole life. */
  ModelInfo model();

  /**
   * Accepts a request and answers it with events. Returns at once, without waiting for the prompt
   * to be rendered, for room, or for a token.
   *
   * <p>Whatever becomes of the request is told to the sink and never thrown: a prompt that is too
   * long, a full queue and an engine that is closed are all a {@link GenerationEvent.Failed}. The
   * sink gets exactly one terminal event, which is its last.
   *
   * @throws NullPointerException if an argument is null
   */
  Generation generate(GenerationRequest request, GenerationSink sink);

  /** How the engine fares now. Never blocks, whatever the engine is busy with. */
  EngineStatus status();

  /**
   * The ids of a prompt, with whatever special tokens {@link #generate} would give it.
   *
   * @throws EngineException {@link EngineException.InvalidRequest} for a prompt that {@link
   *     #generate} would refuse, or where the engine cannot tell
   */
  int[] tokenize(Prompt prompt);

  /**
   * The text of some ids, special tokens written out.
   *
   * @throws EngineException {@link EngineException.InvalidRequest} for an id that is not in the
   *     vocabulary, or where the engine cannot tell
   */
  String detokenize(int[] tokens);

  /**
   * Ends every request that is under way with a {@link GenerationEvent.Failed} of {@link
   * EngineException.Unavailable}, frees what the engine holds and returns when it is freed. A
   * second call does nothing.
   */
  @Override
  void close();
}
