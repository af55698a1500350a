package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.cache.BlockTable;
import dev.vllmmlx.cache.Lineage;
import dev.vllmmlx.cache.PagedCache;
import dev.vllmmlx.cache.PoolStatus;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.Scope;
import dev.vllmmlx.mlx.model.CausalLanguageModel;
import dev.vllmmlx.mlx.nn.ForwardPass;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Keys and values in blocks of one pool for each layer, allocated once; sequences that begin alike
 * share blocks.
 */
final class PagedMemory implements KvMemory {
  private final CausalLanguageModel model;
  private final String identity;
  private final int blocks;
  private final int blockSize;
  private final long bytesPerToken;
  private final Scope owned = Mlx.detachedScope();

  /** A layer each, {@code [blocks, kvHeads, blockSize, headDim]}; written in place. */
  private final List<Array> keys = new ArrayList<>();

  private final List<Array> values = new ArrayList<>();

  private PagedCache books;

  /**
   * @param identity tells this model's keys and values from those of others
   */
  PagedMemory(CausalLanguageModel model, String identity, int blockSize, KvBudget budget) {
    this.model = model;
    this.identity = identity;
    this.blockSize = blockSize;
    this.blocks = (int) Math.min(budget.tokens() / blockSize, Integer.MAX_VALUE);
    this.bytesPerToken = budget.bytesPerToken();
    reset();
  }

  @Override
  public int capacity() {
    return (int) Math.min((long) blocks * blockSize, Integer.MAX_VALUE);
  }

  @Override
  public void reset() {
    keys.forEach(Array::free);
    values.forEach(Array::free);
    keys.clear();
    values.clear();
    books = new PagedCache(blocks, blockSize, true);
    for (var layer : model.kvLayers()) {
      keys.add(pool(layer.kvHeads(), layer.headDim()));
      values.add(pool(layer.kvHeads(), layer.headDim()));
    }
  }

  private Array pool(int kvHeads, int headDim) {
    try (var _ = Mlx.scope()) {
      return owned.keep(Mlx.reserved(model.type(), blocks, kvHeads, blockSize, headDim));
    }
  }

  @Override
  public SequenceKv open(String tenant, int[] tokens) {
    var table = books.open(new Lineage(identity, "", tenant));
    table.reuse(tokens, tokens.length);
    return new Kv(table);
  }

  @Override
  public boolean admits(int tokens, int running) {
    return tokens / blockSize + 1 + running <= books.status().available();
  }

  private void copyBlock(int from, int to) {
    for (var layer = 0; layer < keys.size(); layer++) {
      Mlx.copyInPlace(keys.get(layer), from, to);
      Mlx.copyInPlace(values.get(layer), from, to);
    }
  }

  @Override
  public ForwardPass pass(List<Chunk> chunks) {
    var tables = chunks.stream().map(chunk -> ((Kv) chunk.row().kv()).table).toList();
    return new PagedPass(chunks, tables, keys, values, owned);
  }

  @Override
  public void evaluate() {
    Mlx.eval(keys);
    Mlx.eval(values);
  }

  @Override
  public Map<String, Double> gauges() {
    PoolStatus status = books.status();
    var gauges = new HashMap<String, Double>();
    gauges.put("kv_blocks", (double) status.total());
    gauges.put("kv_blocks_used", (double) status.used());
    gauges.put("kv_blocks_cached", (double) status.cached());
    gauges.put("kv_blocks_free", (double) status.free());
    gauges.put("kv_bytes_budget", (double) blocks * blockSize * bytesPerToken);
    gauges.put("kv_bytes", (double) (status.used() + status.cached()) * blockSize * bytesPerToken);
    gauges.put("kv_block_evictions_total", (double) status.evictions());
    gauges.put("kv_block_copies_total", (double) status.copies());
    gauges.put("prefix_hit_rate", status.hitRate());
    status
        .promptTokens()
        .forEach(
            (outcome, tokens) ->
                gauges.put(
                    "prefix_tokens_%s_total".formatted(outcome.name().toLowerCase(Locale.ROOT)),
                    (double) tokens));
    return gauges;
  }

  @Override
  public void close() {
    owned.close();
  }

  private final class Kv implements SequenceKv {
    private final BlockTable table;

    Kv(BlockTable table) {
      this.table = table;
    }

    @Override
    public int length() {
      return table.length();
    }

    @Override
    public boolean reserve(int tokens) {
      var copies = table.reserve(tokens);
      copies.ifPresent(each -> each.forEach(copy -> copyBlock(copy.from(), copy.to())));
      return copies.isPresent();
    }

    @Override
    public void appended(int[] tokens) {
      table.append(tokens, 0, tokens.length);
    }

    @Override
    public Optional<SequenceKv> fork() {
      return Optional.of(new Kv(table.fork()));
    }

    @Override
    public void release() {
      table.close();
    }

    /** What was published was whole before; what was not is not found by anybody. */
    @Override
    public void discard() {
      table.close();
    }
  }
}
