package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.engine.EngineDefaults;
import dev.vllmmlx.mlx.engine.MlxEngineOpening;
import dev.vllmmlx.mlx.engine.MlxOptions;
import dev.vllmmlx.mlx.engine.SimpleEngineProvider;
import dev.vllmmlx.mlx.parity.TinyCheckpoint;
import dev.vllmmlx.mlx.sequence.TinyTokenizer;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineProvider;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;

/** Opens engines as the server does, and writes models for them. */
final class Engines {
  private Engines() {}

  static Engine batched(Optional<Path> model, Map<String, String> options) {
    return open(new BatchedEngineProvider(), model, options);
  }

  static Engine simple(Optional<Path> model) {
    return simple(model, Map.of());
  }

  static Engine simple(Optional<Path> model, Map<String, String> options) {
    return open(new SimpleEngineProvider(), model, options);
  }

  /** A batched engine over a model in which something goes wrong. */
  static Engine faulty(Path model, Map<String, String> options, FaultyModel.Fault fault) {
    var context = context(new BatchedEngineProvider(), Optional.of(model), options);
    var settings = BatchedSettings.of(context);
    return new MlxEngineOpening<BatchModel>(
            MlxOptions.of(context),
            context,
            (checkpoint, loaded, contextLength) ->
                new FaultyModel(
                    LoadedBatchModel.of(checkpoint, loaded, contextLength, settings), fault),
            new BatchLoop(settings),
            settings.maxRows())
        .open();
  }

  private static Engine open(
      EngineProvider provider, Optional<Path> model, Map<String, String> options) {
    return provider.open(context(provider, model, options));
  }

  private static EngineContext context(
      EngineProvider provider, Optional<Path> model, Map<String, String> options) {
    return EngineDefaults.context(provider, model.map(Path::toString), options);
  }

  /** Waits until nothing runs or waits, and the figures say so. */
  static void awaitIdle(Engine engine) throws InterruptedException {
    for (var i = 0; i < 200; i++) {
      var status = engine.status();
      var used = status.gauges().getOrDefault("kv_blocks_used", 0.0);
      if (status.running() == 0 && status.waiting() == 0 && used == 0) {
        return;
      }
      Thread.sleep(20);
    }
    throw new AssertionError("never idle: " + engine.status());
  }

  /** A llama of two layers with grouped heads, 4 bits, and a byte tokenizer. */
  static Path tinyModel(Path folder) {
    return tinyModel(folder, 512);
  }

  static Path tinyModel(Path folder, int contextLength) {
    var config =
        """
        {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 96,
         "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 260,
         "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "max_position_embeddings": %d,
         "tie_word_embeddings": true, "quantization": {"group_size": 32, "bits": 4}}
        """
            .formatted(contextLength);
    new TinyCheckpoint(JsonMapper.shared().readTree(config), 7, "float16").write(folder);
    TinyTokenizer.write(folder);
    return folder;
  }
}
