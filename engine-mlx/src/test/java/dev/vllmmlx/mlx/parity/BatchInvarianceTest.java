package dev.vllmmlx.mlx.parity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.hub.CheckpointSource;
import dev.vllmmlx.hub.HubSettings;
import dev.vllmmlx.hub.ModelReference;
import dev.vllmmlx.hub.Progress;
import dev.vllmmlx.mlx.array.CpuPrimitives;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.load.ComputeType;
import dev.vllmmlx.mlx.load.ModelLoader;
import dev.vllmmlx.mlx.model.CausalLanguageModel;
import dev.vllmmlx.mlx.model.ModelFamilies;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * SmolLM2 gives a sequence the same logits, bit for bit, alone in contiguous memory and among
 * others in scattered blocks, whatever the chunks of the prompt and the threads.
 */
class BatchInvarianceTest {
  private static final int BLOCK = 32;
  private static final int LENGTH = 75;

  private static MlxThread mlx;

  @BeforeAll
  static void start() {
    mlx = MlxThread.start("invariance", Device.CPU);
  }

  @AfterEach
  void asBefore() {
    CpuPrimitives.setThreads(0);
  }

  @AfterAll
  static void stop() {
    mlx.close();
  }

  @Test
  void aSequenceIsTheSameAloneAndAmongOthers() throws Exception {
    var gguf =
        new CheckpointSource(HubSettings.fromEnvironment(System.getenv()))
            .resolve(new ModelReference.EmbeddedDefault(), Progress.NONE)
            .path();
    mlx.call(
        () -> {
          var loaded =
              new ModelLoader(ModelFamilies.standard(), Device.CPU)
                  .load(new Checkpoint.Gguf("smollm2", gguf), ComputeType.AUTO);
          try (var _ = loaded.weights()) {
            check(loaded.model());
          }
          return null;
        });
  }

  private static void check(CausalLanguageModel model) {
    var sequences = 11; // more than a tile of rows, and no multiple of one
    var ids = new int[sequences][];
    var random = new SplittableRandom(4);
    for (var s = 0; s < sequences; s++) {
      ids[s] = random.ints(LENGTH, 0, 40_000).toArray();
    }
    CpuPrimitives.setThreads(1);
    var alone = new float[sequences][];
    for (var s = 0; s < sequences; s++) {
      try (var sequence = new Greedy(model)) {
        alone[s] = sequence.prefill(ids[s], s % 2 == 0 ? 512 : 13, 1)[0];
      }
    }
    CpuPrimitives.setThreads(2);
    var tables = scattered(sequences, random);
    try (var memory = new BlockMemory(model.kvLayers(), sequences * 3 + 1, BLOCK, DType.FLOAT32)) {
      // Each prompt but its last tokens alone, then the rest of all of them together.
      for (var s = 0; s < sequences; s++) {
        run(model, memory, ids, tables, new int[] {s}, 0, LENGTH - 1 - s);
      }
      for (var s = 0; s < sequences; s++) {
        if (s > 0) {
          run(model, memory, ids, tables, new int[] {s}, LENGTH - 1 - s, LENGTH - 1);
        }
      }
      var all = new int[sequences];
      Arrays.setAll(all, i -> i);
      var together = run(model, memory, ids, tables, all, LENGTH - 1, LENGTH);
      for (var s = 0; s < sequences; s++) {
        assertThat(Arrays.equals(together[s], alone[s])).as("sequence %d", s).isTrue();
      }
    }
  }

  /** Logits of the last row of each sequence. */
  private static float[][] run(
      CausalLanguageModel model,
      BlockMemory memory,
      int[][] ids,
      int[][] tables,
      int[] which,
      int from,
      int to) {
    var width = to - from;
    var tokens = new int[which.length * width];
    var positions = new int[tokens.length];
    var sequences = new int[tokens.length];
    for (var i = 0; i < which.length; i++) {
      for (var j = 0; j < width; j++) {
        tokens[i * width + j] = ids[which[i]][from + j];
        positions[i * width + j] = from + j;
        sequences[i * width + j] = which[i];
      }
    }
    try (var _ = Mlx.scope()) {
      var hidden =
          model.hidden(Mlx.array(tokens, tokens.length), memory.pass(positions, sequences, tables));
      var flat = model.logits(hidden).toFloats();
      var size = flat.length / tokens.length;
      var rows = new float[which.length][];
      for (var i = 0; i < rows.length; i++) {
        var last = (i + 1) * width - 1;
        rows[i] = Arrays.copyOfRange(flat, last * size, (last + 1) * size);
      }
      return rows;
    }
  }

  /** Three blocks for each sequence, in no order. */
  private static int[][] scattered(int sequences, SplittableRandom random) {
    var free = new int[sequences * 3];
    Arrays.setAll(free, i -> i + 1);
    for (var i = free.length - 1; i > 0; i--) {
      var other = random.nextInt(i + 1);
      var kept = free[i];
      free[i] = free[other];
      free[other] = kept;
    }
    var tables = new int[sequences][];
    for (var s = 0; s < sequences; s++) {
      tables[s] = Arrays.copyOfRange(free, 3 * s, 3 * s + 3);
    }
    return tables;
  }
}
