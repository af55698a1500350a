package dev.vllmmlx.mlx.parity;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.mlx.array.CpuPrimitives;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.load.ComputeType;
import dev.vllmmlx.mlx.load.ModelLoader;
import dev.vllmmlx.mlx.model.CausalLanguageModel;
import dev.vllmmlx.mlx.model.KvLayer;
import dev.vllmmlx.mlx.model.ModelFamilies;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Prefill and decode tokens/s of one greedy sequence, the counterpart of bench/mlx-lm/decode.py:
 * {@code DecodeSpeed FOLDER|GGUF [PROMPT_TOKENS] [STEPS] [BATCH]}. With a batch it also decodes so
 * many sequences together. The system property {@code threads} says how many compute.
 */
public final class DecodeSpeed {

  private static final int CHUNK = 2048; // mlx-lm's

  /**
   * Steps before anything is measured: in the first second the JIT compilers have the cores that a
   * step needs. Peers warm up too.
   */
  private static final int WARM_UP = 192;

  private DecodeSpeed() {}

  public static void main(String[] args) {
    CpuPrimitives.setThreads(Integer.getInteger("threads", 0));
    var path = Path.of(args[0]);
    var promptTokens = args.length > 1 ? Integer.parseInt(args[1]) : 32;
    var steps = args.length > 2 ? Integer.parseInt(args[2]) : 48;
    var checkpoint =
        Files.isDirectory(path)
            ? new Checkpoint.Folder("model", path)
            : new Checkpoint.Gguf("model", path);
    try (var mlx = MlxThread.start("bench", Device.best())) {
      mlx.call(
          () -> {
            var loaded =
                new ModelLoader(ModelFamilies.standard(), Device.best())
                    .load(checkpoint, ComputeType.AUTO);
            try (var _ = loaded.weights();
                var sequence = new Greedy(loaded.model(), kept(loaded.model()))) {
              warmUp(loaded.model());
              measure(sequence, promptTokens, steps);
              if (args.length > 3) {
                together(loaded.model(), Integer.parseInt(args[3]), steps);
              }
            }
            return null;
          });
    }
  }

  /** Keys and values in 16 bits, as peers keep them. */
  private static List<KvLayer> kept(CausalLanguageModel model) {
    return model.kvLayers().stream().map(layer -> layer.inBits(16)).toList();
  }

  private static void warmUp(CausalLanguageModel model) {
    try (var sequence = new Greedy(model, kept(model))) {
      var logits = sequence.prefill(new int[] {1, 2, 3}, CHUNK, 1)[0];
      for (var i = 0; i < WARM_UP; i++) {
        logits = sequence.step(Greedy.argMax(logits));
      }
    }
  }

  private static void measure(Greedy sequence, int promptTokens, int steps) {
    var prompt = IntStream.range(0, promptTokens).map(i -> 1 + i % 1000).toArray();
    var start = System.nanoTime();
    var logits = sequence.prefill(prompt, CHUNK, 1)[0];
    var prefill = System.nanoTime() - start;
    var nanos = new long[steps];
    var ids = new int[steps];
    for (var i = 0; i < steps; i++) {
      start = System.nanoTime();
      ids[i] = Greedy.argMax(logits);
      logits = sequence.step(ids[i]);
      nanos[i] = System.nanoTime() - start;
    }
    Arrays.sort(nanos);
    System.out.printf(
        Locale.ROOT,
        "vllm-mlx prefill_tokens_per_s=%.2f decode_tokens_per_s=%.2f ids=%s%n",
        promptTokens * 1e9 / prefill,
        1e9 / nanos[steps / 2],
        Arrays.toString(Arrays.copyOf(ids, Math.min(8, steps))));
  }

  /** Decodes a batch over block tables: all rows in one pass. */
  private static void together(CausalLanguageModel model, int batch, int steps) {
    var blockSize = 64;
    var each = steps / blockSize + 1;
    var tables = new int[batch][each];
    for (var i = 0; i < batch; i++) {
      for (var j = 0; j < each; j++) {
        tables[i][j] = i * each + j;
      }
    }
    var sequences = IntStream.range(0, batch).toArray();
    var nanos = new long[steps];
    var layers = kept(model);
    var type = layers.getFirst().type();
    try (var memory = new BlockMemory(layers, batch * each, blockSize, type)) {
      var tokens = sequences.clone();
      for (var step = 0; step < steps; step++) {
        var positions = new int[batch];
        Arrays.fill(positions, step);
        var start = System.nanoTime();
        try (var _ = Mlx.scope()) {
          var hidden =
              model.hidden(Mlx.array(tokens, batch), memory.pass(positions, sequences, tables));
          var best = Mlx.argMax(model.logits(hidden), -1, false).toLongs();
          for (var i = 0; i < batch; i++) {
            tokens[i] = (int) best[i];
          }
        }
        nanos[step] = System.nanoTime() - start;
      }
    }
    Arrays.sort(nanos);
    System.out.printf(
        Locale.ROOT,
        "vllm-mlx batch=%d decode_tokens_per_s=%.2f%n",
        batch,
        batch * 1e9 / nanos[steps / 2]);
  }
}
