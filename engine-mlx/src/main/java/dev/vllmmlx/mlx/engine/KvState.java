package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.cache.KvCache;
import dev.vllmmlx.mlx.model.CausalLanguageModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An MLX model after some tokens: what it has seen is in a KV cache. */
final class KvState implements ModelState {
  private final CausalLanguageModel model;
  private final KvCache cache;

  KvState(CausalLanguageModel model, KvCache cache) {
    this.model = model;
    this.cache = cache;
  }

  @Override
  public int length() {
    return cache.length();
  }

  @Override
  public void advance(int[] tokens) {
    try (var _ = Mlx.scope()) {
      hidden(tokens);
      cache.evaluate();
    }
  }

  @Override
  public void advance(int[] tokens, float[] logits) {
    try (var _ = Mlx.scope()) {
      var hidden = hidden(tokens);
      var last = Mlx.slice(hidden, 0, tokens.length - 1, tokens.length);
      var scores = Mlx.astype(model.logits(last), DType.FLOAT32).view();
      MemorySegment.copy(scores, ValueLayout.JAVA_FLOAT, 0, logits, 0, logits.length);
    }
  }

  private Array hidden(int[] tokens) {
    return model.hidden(Mlx.array(tokens, tokens.length), cache.append(tokens.length));
  }

  @Override
  public void rewind(int length) {
    cache.rewind(length);
  }

  @Override
  public ModelState fork(int length) {
    return new KvState(model, cache.fork(length));
  }

  @Override
  public long bytes() {
    return cache.bytes();
  }

  @Override
  public void close() {
    cache.close();
  }
}
