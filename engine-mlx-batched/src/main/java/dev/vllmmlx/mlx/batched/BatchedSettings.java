package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.engine.OptionReader;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How a batched engine works.
 *
 * @param maxSequences requests that are computed at the same time
 * @param maxBatchTokens rows of one pass at most
 * @param paged whether keys and values are in blocks that sequences share; else each sequence has
 *     memory of its own
 * @param blockSize tokens of a block
 * @param kvBytes memory for keys and values; empty for what suits the machine
 * @param disk where blocks are kept across restarts, if anywhere
 */
record BatchedSettings(
    int maxSequences,
    int maxBatchTokens,
    boolean paged,
    int blockSize,
    OptionalLong kvBytes,
    Optional<Disk> disk) {

  /**
   * A folder for blocks.
   *
   * @param bytes of all its files
   */
  record Disk(Path folder, long bytes) {}

  private static final long DISK_BYTES = 10L << 30;

  /** Rows that may have a token in one pass. */
  int maxRows() {
    return Math.min(maxSequences, maxBatchTokens);
  }

  /** The attention kernels take keys in runs of so many, which must not cross a block's end. */
  static final int BLOCK_STEP = 32;

  static final List<EngineOption> DECLARED =
      List.of(
          new EngineOption(
              "max-num-seqs",
              EngineOption.Type.INTEGER,
              "64",
              "Requests that are computed at the same time"),
          new EngineOption(
              "max-batch-tokens",
              EngineOption.Type.INTEGER,
              "512",
              "Tokens that one pass computes at most"),
          new EngineOption(
              "use-paged-cache",
              EngineOption.Type.FLAG,
              "",
              "Enable paged KV cache: blocks that requests with the same beginning share"),
          new EngineOption(
              "block-size",
              EngineOption.Type.INTEGER,
              "",
              "Tokens of a block of the paged cache, a multiple of 32; 32 unless given"),
          new EngineOption(
              "kv-cache-memory",
              EngineOption.Type.BYTES,
              "",
              "Memory for keys and values; a quarter of the machine's unless given"),
          new EngineOption(
              "cache-dir",
              EngineOption.Type.TEXT,
              "",
              "Folder that keeps computed prefixes across restarts; implies --use-paged-cache"),
          new EngineOption(
              "cache-dir-size",
              EngineOption.Type.BYTES,
              "",
              "What the files in --cache-dir may take together; 10GB unless given"));

  /**
   * @throws EngineException.InvalidRequest that names the option at fault
   */
  static BatchedSettings of(EngineContext context) {
    var read = new OptionReader(context);
    var disk = disk(read);
    var paged = context.flag("use-paged-cache") || disk.isPresent();
    return new BatchedSettings(
        read.integer("max-num-seqs", 1).orElseThrow(),
        read.integer("max-batch-tokens", 1).orElseThrow(),
        paged,
        blockSize(read, paged),
        read.bytes("kv-cache-memory"),
        disk);
  }

  private static int blockSize(OptionReader read, boolean paged) {
    var given = read.integer("block-size", BLOCK_STEP);
    if (given.isPresent() && !paged) {
      throw OptionReader.wrong(
          "block-size", "is for the blocks of --use-paged-cache, which is not given");
    }
    var size = given.orElse(BLOCK_STEP);
    if (size % BLOCK_STEP != 0) {
      throw OptionReader.wrong(
          "block-size", "must be a multiple of %d, and is %d".formatted(BLOCK_STEP, size));
    }
    return size;
  }

  private static Optional<Disk> disk(OptionReader read) {
    var size = read.bytes("cache-dir-size");
    var folder = read.text("cache-dir");
    if (folder.isEmpty() && size.isPresent()) {
      throw OptionReader.wrong(
          "cache-dir-size", "is for the folder of --cache-dir, and none is given");
    }
    return folder.map(path -> new Disk(Path.of(path), size.orElse(DISK_BYTES)));
  }
}
