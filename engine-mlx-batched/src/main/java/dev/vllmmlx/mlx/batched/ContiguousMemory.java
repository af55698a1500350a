package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.cache.KvCache;
import dev.vllmmlx.mlx.cache.PromptCache;
import dev.vllmmlx.mlx.model.KvLayer;
import dev.vllmmlx.mlx.nn.ForwardPass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A contiguous cache for each sequence. Those of sequences that ended are kept, as far as there is
 * room, for one that begins alike.
 */
final class ContiguousMemory implements KvMemory {
  private final List<KvLayer> layers;
  private final KvBudget budget;
  private final List<Kv> open = new ArrayList<>();
  private PromptCache<KvCache> kept;
  private long evictions;
  private long promptTokens;
  private long reusedTokens;

  ContiguousMemory(List<KvLayer> layers, KvBudget budget) {
    this.layers = layers;
    this.budget = budget;
    this.kept = emptyCache();
  }

  private PromptCache<KvCache> emptyCache() {
    return new PromptCache<>(Integer.MAX_VALUE, budget.bytes());
  }

  @Override
  public int capacity() {
    return (int) Math.min(budget.tokens() / KvCache.STEP * KvCache.STEP, Integer.MAX_VALUE);
  }

  @Override
  public SequenceKv open(String tenant, int[] tokens) {
    var cache =
        kept.take(tenant, tokens)
            .map(found -> trimmed(found, room(tokens.length)))
            .orElseGet(() -> new KvCache(layers));
    promptTokens += tokens.length;
    reusedTokens += cache.length();
    var kv = new Kv(tenant, cache, Arrays.copyOf(tokens, cache.length()));
    open.add(kv);
    freeFor(0); // what it took may be a copy of what is kept still
    return kv;
  }

  /** One that was longer before gives up the room that it need not have. */
  private KvCache trimmed(KvCache cache, long room) {
    if (cache.bytes() <= room * budget.bytesPerToken()) {
      return cache;
    }
    try (cache) {
      return cache.fork(cache.length());
    }
  }

  @Override
  public boolean admits(Row row, int running) {
    var room = room(row.sequence().length() + 1);
    return room + (long) running * KvCache.STEP <= budget.tokens() - held();
  }

  /** Tokens that open sequences have room for. */
  private long held() {
    return open.stream().mapToLong(kv -> kv.room).sum();
  }

  /** Evicts what is only kept until so many tokens fit besides; false if they never do. */
  private boolean freeFor(long tokens) {
    while ((held() + tokens) * budget.bytesPerToken() + kept.bytes() > budget.bytes()) {
      if (!kept.evict()) {
        return false;
      }
      evictions++;
    }
    return true;
  }

  /** As caches grow. */
  private static long room(int tokens) {
    return (tokens / KvCache.STEP + 1L) * KvCache.STEP;
  }

  @Override
  public ForwardPass pass(List<Chunk> chunks) {
    var passes =
        chunks.stream()
            .map(chunk -> ((Kv) chunk.row().kv()).cache.append(chunk.tokens().length))
            .toList();
    if (passes.size() == 1) {
      return passes.getFirst();
    }
    return (layer, queries, keys, values, shape) -> {
      var mixed = new Array[chunks.size()];
      var from = 0;
      for (var i = 0; i < mixed.length; i++) {
        var to = from + chunks.get(i).tokens().length;
        mixed[i] =
            passes
                .get(i)
                .attend(
                    layer,
                    Mlx.slice(queries, 0, from, to),
                    Mlx.slice(keys, 0, from, to),
                    Mlx.slice(values, 0, from, to),
                    shape);
        from = to;
      }
      return Mlx.concatenate(List.of(mixed), 0);
    };
  }

  @Override
  public void evaluate() {
    open.forEach(kv -> kv.cache.evaluate());
  }

  @Override
  public void reset() {
    kept.close();
    kept = emptyCache();
  }

  @Override
  public Map<String, Double> gauges() {
    var gauges = new HashMap<String, Double>();
    gauges.put("kv_bytes", (double) held() * budget.bytesPerToken() + kept.bytes());
    gauges.put("kv_bytes_budget", (double) budget.bytes());
    gauges.put("kv_cached_tokens", (double) kept.tokens());
    gauges.put("kv_cache_evictions_total", (double) evictions);
    gauges.put("prefix_hit_rate", promptTokens == 0 ? 0 : (double) reusedTokens / promptTokens);
    gauges.put("prefix_tokens_cached_total", (double) reusedTokens);
    gauges.put("prefix_tokens_missed_total", (double) (promptTokens - reusedTokens));
    return gauges;
  }

  @Override
  public void close() {
    kept.close();
    List.copyOf(open).forEach(Kv::discard);
  }

  private final class Kv implements SequenceKv {
    private final String tenant;
    private final KvCache cache;
    private int[] tokens;
    private int length;
    private long room;

    Kv(String tenant, KvCache cache, int[] tokens) {
      this.tenant = tenant;
      this.cache = cache;
      this.tokens = tokens;
      this.length = tokens.length;
      // As the cache was given, it may have more.
      this.room = Math.max(room(length), cache.bytes() / budget.bytesPerToken());
    }

    @Override
    public int length() {
      return length;
    }

    @Override
    public boolean reserve(int more) {
      var wanted = room(length + more);
      if (wanted > room) {
        if (!freeFor(wanted - room)) {
          return false;
        }
        room = wanted;
      }
      return true;
    }

    @Override
    public void appended(int[] more) {
      if (length + more.length > tokens.length) {
        tokens = Arrays.copyOf(tokens, Math.max(length + more.length, 2 * tokens.length));
      }
      System.arraycopy(more, 0, tokens, length, more.length);
      length += more.length;
    }

    @Override
    public Optional<SequenceKv> fork() {
      if (!freeFor(room(length))) {
        return Optional.empty();
      }
      var fork = new Kv(tenant, cache.fork(length), Arrays.copyOf(tokens, length));
      open.add(fork);
      return Optional.of(fork);
    }

    @Override
    public void release() {
      open.remove(this);
      if (length == 0) {
        cache.close();
      } else {
        cache.rewind(length);
        kept.put(tenant, Arrays.copyOf(tokens, length), cache);
      }
    }

    @Override
    public void discard() {
      open.remove(this);
      cache.close();
    }
  }
}
