package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.cache.BlockStore;
import dev.vllmmlx.cache.BlockTable;
import dev.vllmmlx.cache.Lineage;
import dev.vllmmlx.cache.PagedCache;
import dev.vllmmlx.cache.PoolStatus;
import dev.vllmmlx.cache.disk.DiskFigures;
import dev.vllmmlx.cache.disk.DiskStore;
import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.Scope;
import dev.vllmmlx.mlx.model.KvLayer;
import dev.vllmmlx.mlx.nn.ForwardPass;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Keys and values in blocks of one pool for each layer, allocated once; sequences that begin alike
 * share blocks.
 */
final class PagedMemory implements KvMemory {

  /** When the engine closes, what writing to the disk may take. */
  private static final Duration LAST_WRITES = Duration.ofSeconds(10);

  private final List<KvLayer> layers;
  private final int blocks;
  private final int blockSize;
  private final long bytesPerToken;
  private final Scope owned = Mlx.detachedScope();

  /** A layer each, {@code [blocks, kvHeads, blockSize, width]}; written in place. */
  private final List<Array> keys = new ArrayList<>();

  private final List<Array> values = new ArrayList<>();

  private final String identity;
  private final Optional<DiskStore> disk;
  private PagedCache books;

  private PagedMemory(
      List<KvLayer> layers, int blockSize, KvBudget budget, Optional<Provenance> provenance) {
    this.layers = layers;
    this.blockSize = blockSize;
    this.blocks = (int) Math.min(budget.tokens() / blockSize, Integer.MAX_VALUE);
    this.bytesPerToken = budget.bytesPerToken();
    layOut();
    try {
      this.identity = provenance.map(of -> of.identity(planes())).orElse("");
      this.disk = provenance.map(of -> of.open(blockSize, new PoolBytes(this::planes)));
    } catch (RuntimeException e) {
      owned.close();
      throw e;
    }
    openBooks();
  }

  /**
   * Lays out the pool.
   *
   * @throws dev.vllmmlx.spi.EngineException.InvalidRequest if the folder for blocks cannot be used
   */
  static PagedMemory of(
      Checkpoint checkpoint, List<KvLayer> layers, BatchedSettings settings, KvBudget budget) {
    var provenance = settings.disk().map(disk -> new Provenance(checkpoint, disk));
    return new PagedMemory(layers, settings.blockSize(), budget, provenance);
  }

  /** Everything that is kept for a block: the first axis is the block's. */
  private List<Array> planes() {
    return Stream.concat(keys.stream(), values.stream()).toList();
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
    layOut();
    openBooks();
  }

  private void openBooks() {
    books =
        new PagedCache(
            blocks, blockSize, true, disk.map(BlockStore.class::cast).orElse(BlockStore.NONE));
  }

  private void layOut() {
    for (var layer : layers) {
      keys.add(pool(layer));
      values.add(pool(layer));
    }
  }

  private Array pool(KvLayer layer) {
    try (var _ = Mlx.scope()) {
      return owned.keep(
          Mlx.reserved(layer.type(), blocks, layer.kvHeads(), blockSize, layer.width()));
    }
  }

  @Override
  public SequenceKv open(String tenant, int[] tokens) {
    var table = books.open(lineage(tenant));
    table.reuse(tokens, tokens.length);
    return new Kv(table);
  }

  @Override
  public boolean admits(Row row, int running) {
    var length = row.sequence().length();
    var lacking = length / blockSize + 1 + running - books.available();
    return lacking <= 0 || lacking <= books.heldBlocks(lineage(row.tenant()), row.tokens(), length);
  }

  private Lineage lineage(String tenant) {
    return new Lineage(identity, "", tenant);
  }

  private void copyBlock(int from, int to) {
    for (var layer = 0; layer < keys.size(); layer++) {
      Mlx.copyInPlace(keys.get(layer), from, to);
      Mlx.copyInPlace(values.get(layer), from, to);
    }
  }

  @Override
  public void boundary() {
    disk.ifPresent(
        store -> {
          store.boundary();
          books.spill();
        });
  }

  @Override
  public void took(int rows, long nanos) {
    disk.ifPresent(store -> store.computed(rows, nanos));
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
    disk.ifPresent(store -> addTo(gauges, store.figures()));
    return gauges;
  }

  private static void addTo(Map<String, Double> gauges, DiskFigures figures) {
    gauges.put("kv_disk_files", (double) figures.files());
    gauges.put("kv_disk_bytes", (double) figures.bytes());
    gauges.put("kv_disk_blocks_written_total", (double) figures.written());
    gauges.put("kv_disk_blocks_read_total", (double) figures.read());
    gauges.put("kv_disk_blocks_lost_total", (double) figures.lost());
    gauges.put("kv_disk_files_refused_total", (double) figures.refused());
    gauges.put("kv_disk_files_evicted_total", (double) figures.evicted());
    gauges.put("kv_disk_failures_total", (double) figures.failed());
  }

  /** What the disk has not got yet is written first, parents before those that follow them. */
  @Override
  public void close() {
    disk.ifPresent(
        store -> {
          store.waitForBuffers(LAST_WRITES);
          books.spill();
          books.evictAll();
          store.close();
        });
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
    public boolean load(int[] tokens) {
      if (disk.isEmpty()) {
        return false;
      }
      disk.get().deferred(); // whoever asked before
      table.reuse(tokens, tokens.length);
      return disk.get().deferred();
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
      table.leave();
    }

    /** What was published was whole before; what was not is not found by anybody. */
    @Override
    public void discard() {
      table.close();
    }
  }
}
