package dev.vllmmlx.mlx.array;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each function against values worked out in plain Java. */
class MlxTest {

  private static MlxThread mlx;

  @BeforeAll
  static void start() {
    mlx = MlxThread.start("mlx");
  }

  @AfterAll
  static void stop() {
    mlx.close();
    assertThat(MemoryStatus.now().liveHandles()).isZero();
  }

  @Test
  void multipliesMatrices() {
    assertThat(
            mlx.call(
                () -> {
                  var a = Mlx.array(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
                  return Mlx.matmul(a, Mlx.transpose(a)).toFloats();
                }))
        .containsExactly(14, 32, 32, 77);
  }

  @Test
  void normalizesByTheRootMeanSquare() {
    float[] y =
        mlx.call(
            () ->
                Mlx.rmsNorm(Mlx.array(new float[] {3, 4}, 1, 2), Mlx.array(new float[] {1, 2}), 0)
                    .toFloats());
    var rms = Math.sqrt(12.5);
    assertThat(y[0]).isCloseTo((float) (3 / rms), within(1e-6f));
    assertThat(y[1]).isCloseTo((float) (8 / rms), within(1e-6f));
  }

  @Test
  void rotatesPairsByTheirPosition() {
    float[] y =
        mlx.call(
            () ->
                Mlx.rope(
                        Mlx.array(new float[] {1, 2, 3, 4}, 1, 1, 1, 4),
                        4,
                        false,
                        10000,
                        1,
                        7,
                        Optional.empty())
                    .toFloats());
    var slow = 7 / 100.0; // theta^(-2/4)
    assertThat(y[0]).isCloseTo((float) (Math.cos(7) - 3 * Math.sin(7)), within(1e-5f));
    assertThat(y[2]).isCloseTo((float) (3 * Math.cos(7) + Math.sin(7)), within(1e-5f));
    assertThat(y[1]).isCloseTo((float) (2 * Math.cos(slow) - 4 * Math.sin(slow)), within(1e-5f));
    assertThat(y[3]).isCloseTo((float) (4 * Math.cos(slow) + 2 * Math.sin(slow)), within(1e-5f));
  }

  @Test
  void attendsCausally() {
    float[] y =
        mlx.call(
            () -> {
              var q = Mlx.zeros(DType.FLOAT32, 1, 1, 2, 4);
              var v = Mlx.array(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 1, 1, 2, 4);
              return Mlx.causalAttention(q, q, v, 1).toFloats();
            });
    assertThat(y).containsExactly(1, 2, 3, 4, 3, 4, 5, 6);
  }

  @Test
  void multipliesPackedMatrices() {
    mlx.call(
        () -> {
          var w = Mlx.randomNormal(1, 0, 1, DType.FLOAT32, 8, 64);
          var x = Mlx.randomNormal(2, 0, 1, DType.FLOAT32, 3, 64);
          var q = Mlx.quantize(w, 32, 4);
          var y = Mlx.quantizedMatmul(x, q.weight(), q.scales(), q.biases(), true, 32, 4);
          var plain = Mlx.dequantize(q.weight(), q.scales(), q.biases(), 32, 4);
          assertThat(y.shape()).containsExactly(3, 8);
          assertThat(y.toFloats()).containsExactly(Mlx.linear(x, plain).toFloats(), within(1e-4f));
          return null;
        });
  }

  @Test
  void bringsSafetensorsBack(@TempDir Path folder) {
    mlx.call(
        () -> {
          var file = folder.resolve("ä b.safetensors");
          var a = Mlx.array(new float[] {1, 2, 3}, 3);
          var b = Mlx.astype(Mlx.array(new int[] {7, 8}, 1, 2), DType.BFLOAT16);
          Mlx.saveSafetensors(file, Map.of("b", b, "a", a), Map.of("format", "mlx"));
          var back = Mlx.loadSafetensors(file);
          assertThat(back.metadata()).containsEntry("format", "mlx");
          assertThat(List.copyOf(back.arrays().keySet())).containsExactly("a", "b");
          assertThat(back.arrays().get("a").toFloats()).containsExactly(1, 2, 3);
          assertThat(back.arrays().get("b").dtype()).isEqualTo(DType.BFLOAT16);
          assertThat(back.arrays().get("b").toInts()).containsExactly(7, 8);
          return null;
        });
  }

  @Test
  void mapsSafetensorsInsteadOfCopyingThem(@TempDir Path folder) throws IOException {
    var count = 1 << 20;
    var header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1048576],\"data_offsets\":[0,4194304]}}";
    var file = safetensors(folder, header, 4 * count, data -> data.putFloat(4 * 1000, 7.5f));
    mlx.call(
        () -> {
          var before = MemoryStatus.now().activeBytes();
          var a = Mlx.loadSafetensors(file).arrays().get("a");
          Mlx.eval(a);
          assertThat(MemoryStatus.now().activeBytes() - before).isLessThan(count);
          var values = a.toFloats();
          assertThat(values).hasSize(count);
          assertThat(values[1000]).isEqualTo(7.5f);
          assertThat(values[1001]).isZero();
          return null;
        });
  }

  @Test
  void computingWithAMappedArrayLeavesTheFileAlone(@TempDir Path folder) throws IOException {
    var header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}";
    var file = safetensors(folder, header, 12, data -> data.putFloat(1).putFloat(2).putFloat(3));
    var bytes = Files.readAllBytes(file);
    mlx.call(
        () -> {
          var a = Mlx.loadSafetensors(file).arrays().get("a");
          var b = Mlx.multiply(a, a);
          a.free(); // its memory may now become the result's
          assertThat(b.toFloats()).containsExactly(1, 4, 9);
          return null;
        });
    assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
  }

  @Test
  void readsArraysThatAreNotAligned(@TempDir Path folder) throws IOException {
    var header =
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]}}";
    var file =
        safetensors(folder, header, 9, data -> data.put((byte) 5).putFloat(1.5f).putFloat(-2));
    mlx.call(
        () -> {
          var back = Mlx.loadSafetensors(file).arrays();
          assertThat(back.get("a").toInts()).containsExactly(5);
          assertThat(back.get("b").toFloats()).containsExactly(1.5f, -2);
          return null;
        });
  }

  /** A file whose data begin at a multiple of 8, as the format's own library writes them. */
  private static Path safetensors(
      Path folder, String header, int dataBytes, Consumer<ByteBuffer> data) throws IOException {
    var padded = header + " ".repeat(-header.length() & 7);
    var file =
        ByteBuffer.allocate(8 + padded.length() + dataBytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(padded.length())
            .put(padded.getBytes(StandardCharsets.UTF_8));
    data.accept(file.slice().order(ByteOrder.LITTLE_ENDIAN));
    return Files.write(folder.resolve("model.safetensors"), file.array());
  }

  @Test
  void bringsGgufBack(@TempDir Path folder) {
    mlx.call(
        () -> {
          var file = folder.resolve("a.gguf");
          Mlx.saveGguf(file, Map.of("a.weight", Mlx.array(new float[] {1, 2, 3, 4}, 2, 2)));
          var back = Mlx.loadGguf(file);
          assertThat(back.get("a.weight").toFloats()).containsExactly(1, 2, 3, 4);
          return null;
        });
  }
}
