package dev.vllmmlx.mlx.parity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.MemoryStatus;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.cache.KvCache;
import dev.vllmmlx.mlx.model.CausalLanguageModel;
import dev.vllmmlx.mlx.nn.AttentionShape;
import dev.vllmmlx.mlx.nn.ForwardPass;
import dev.vllmmlx.mlx.nn.Rope;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A layer at once gives what its steps give, to the last bit, and is what few rows really take. */
class PreparedLayerTest {
  private static final int MANY = 65; // rows, one more than are computed at once

  private static MlxThread mlx;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    mlx = MlxThread.start("layers", Device.CPU);
  }

  @AfterAll
  static void stop() {
    mlx.close();
    assertThat(MemoryStatus.now().liveHandles()).isZero();
  }

  /** Families, formats of weights, biases, norms of heads, ropes and windows. */
  static List<ParityCase> cases() {
    return ParityCase.all();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void givesTheBitsOfItsSteps(ParityCase parity) {
    with(
        parity,
        model -> {
          var inEightBits = model.kvLayers().stream().map(layer -> layer.inBits(8)).toList();
          for (var layers : List.of(model.kvLayers(), inEightBits)) {
            var type = layers.getFirst().type();
            try (var steps = new KvCache(layers);
                var whole = new KvCache(layers)) {
              for (var rows : new int[] {MANY, 7, 1, 1, 64, 2}) {
                var tokens = tokens(parity, steps.length(), rows);
                var expected = logits(model, tokens, StepByStep::new, steps);
                var given = logits(model, tokens, rows < MANY ? WholeLayers::new : p -> p, whole);
                assertThat(Arrays.equals(given, expected)).as("%d rows, %s", rows, type).isTrue();
              }
            }
          }
        });
  }

  private static int[] tokens(ParityCase parity, int from, int count) {
    return Hashes.tokens(parity.seed() + from, count, parity.config().get("vocab_size").asInt());
  }

  private static float[] logits(
      CausalLanguageModel model, int[] tokens, UnaryOperator<ForwardPass> by, KvCache cache) {
    try (var _ = Mlx.scope()) {
      var pass = by.apply(cache.append(tokens.length));
      return model.logits(model.hidden(Mlx.array(tokens, tokens.length), pass)).toFloats();
    }
  }

  private void with(ParityCase parity, Consumer<CausalLanguageModel> check) {
    parity.checkpoint().write(folder);
    mlx.call(
        () -> {
          var loaded = parity.load(folder);
          try (var _ = loaded.weights()) {
            check.accept(loaded.model());
          }
          return null;
        });
  }

  /** A pass whose memory nobody may write to. */
  private record StepByStep(ForwardPass pass) implements ForwardPass {
    @Override
    public Array attend(int layer, Array q, Array k, Array v, AttentionShape shape) {
      return pass.attend(layer, q, k, v, shape);
    }
  }

  /** A pass that lets no layer be taken in steps. */
  private record WholeLayers(ForwardPass pass) implements ForwardPass {
    @Override
    public Optional<LayerOps.LayerMemory> memory(int layer, Rope rope) {
      return pass.memory(layer, rope);
    }

    @Override
    public Array attend(int layer, Array q, Array k, Array v, AttentionShape shape) {
      throw new AssertionError("layer " + layer + " was taken step by step");
    }
  }
}
