package dev.vllmmlx.mlx.engine;

/** A loaded model as an engine's runner wants it. Made and closed on the loop's thread. */
public interface ServedModel extends AutoCloseable {

  /** Tokens that prompt and answer may have together. */
  int contextLength();

  /** Scores that a pass gives: ids are below it. */
  int vocabularySize();

  @Override
  void close();
}
