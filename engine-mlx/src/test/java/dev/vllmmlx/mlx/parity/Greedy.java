package dev.vllmmlx.mlx.parity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.cache.KvCache;
import dev.vllmmlx.mlx.model.CausalLanguageModel;
import dev.vllmmlx.mlx.model.KvLayer;
import java.util.Arrays;
import java.util.List;

/** One sequence through a model, the plainest way. On MLX's owner thread. */
public final class Greedy implements AutoCloseable {

  /** Candidates this close may go either way. */
  static final float TIE = 1e-3f;

  private final CausalLanguageModel model;
  private final KvCache cache;

  public Greedy(CausalLanguageModel model) {
    this(model, model.kvLayers());
  }

  /** Over a cache that keeps this. */
  Greedy(CausalLanguageModel model, List<KvLayer> layers) {
    this.model = model;
    this.cache = new KvCache(layers);
  }

  KvCache cache() {
    return cache;
  }

  /** Logits of the last rows after these tokens, the prompt fed in chunks. */
  public float[][] prefill(int[] tokens, int chunk, int rows) {
    for (var start = 0; ; start += chunk) {
      var end = Math.min(start + chunk, tokens.length);
      try (var _ = Mlx.scope()) {
        var hidden = hidden(Arrays.copyOfRange(tokens, start, end));
        if (end == tokens.length) {
          var kept = Math.min(rows, end - start);
          return rows(model.logits(Mlx.slice(hidden, 0, end - start - kept, end - start)));
        }
        cache.evaluate();
      }
    }
  }

  /** Logits after one more token. */
  public float[] step(int token) {
    try (var _ = Mlx.scope()) {
      return rows(model.logits(hidden(new int[] {token})))[0];
    }
  }

  /**
   * Decodes as the reference did, and checks that each of its tokens is the likeliest, or ties with
   * it.
   */
  public void follow(float[] logits, int[] expected) {
    var row = logits;
    for (var i = 0; i < expected.length; i++) {
      assertThat(row[expected[i]])
          .as("token %d is %d; the likeliest is %d", i, expected[i], argMax(row))
          .isGreaterThanOrEqualTo(row[argMax(row)] - TIE);
      if (i + 1 < expected.length) {
        row = step(expected[i]);
      }
    }
  }

  private Array hidden(int[] tokens) {
    return model.hidden(Mlx.array(tokens, tokens.length), cache.append(tokens.length));
  }

  private static float[][] rows(Array logits) {
    var flat = logits.toFloats();
    var size = logits.dim(1);
    var rows = new float[logits.dim(0)][];
    for (var i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(flat, i * size, (i + 1) * size);
    }
    return rows;
  }

  public static int argMax(float[] row) {
    var best = 0;
    for (var i = 1; i < row.length; i++) {
      if (row[i] > row[best]) {
        best = i;
      }
    }
    return best;
  }

  @Override
  public void close() {
    cache.close();
  }
}
