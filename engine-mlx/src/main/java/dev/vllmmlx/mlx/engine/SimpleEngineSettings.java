package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineOption;
import java.util.List;

/**
 * How a simple engine works.
 *
 * @param prefillChunk tokens of a prompt that one pass computes; between passes a cancellation
 *     takes effect
 * @param promptCaches sequences whose KV cache is kept for their next turn
 * @param promptCacheBytes memory that these may take together
 */
record SimpleEngineSettings(int prefillChunk, int promptCaches, long promptCacheBytes) {

  static final List<EngineOption> DECLARED =
      List.of(
          new EngineOption(
              "prefill-chunk",
              EngineOption.Type.INTEGER,
              "512",
              "Tokens of a prompt computed in one pass"),
          new EngineOption(
              "prompt-caches",
              EngineOption.Type.INTEGER,
              "4",
              "Conversations whose KV cache is kept for their next turn"),
          new EngineOption(
              "prompt-cache-memory",
              EngineOption.Type.BYTES,
              "1GB",
              "Memory that these may take together"));

  /**
   * @throws EngineException.InvalidRequest that names the option at fault
   */
  static SimpleEngineSettings of(EngineContext context) {
    var read = new OptionReader(context);
    return new SimpleEngineSettings(
        read.integer("prefill-chunk", 1).orElseThrow(),
        read.integer("prompt-caches", 0).orElseThrow(),
        read.bytes("prompt-cache-memory").orElseThrow());
  }
}
