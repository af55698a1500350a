package dev.vllmmlx.hub.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufMetadataTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void readsEveryTypeOfValue(int version) throws IOException {
    var file =
        write(
            GgufBytes.header(version, 0, 13)
                .key("u8", 0)
                .i8(200)
                .key("i8", 1)
                .i8(-3)
                .key("u16", 2)
                .i16(65_000)
                .key("i16", 3)
                .i16(-300)
                .key("u32", 4)
                .i32(-1)
                .key("i32", 5)
                .i32(-70_000)
                .key("f32", 6)
                .f32(1.5f)
                .key("yes", 7)
                .i8(1)
                .key("text", 8)
                .string("héllo 🙂")
                .key("u64", 10)
                .i64(1L << 40)
                .key("i64", 11)
                .i64(-(1L << 40))
                .key("f64", 12)
                .f64(1e-300)
                .key("no", 7)
                .i8(0));

    var metadata = GgufMetadata.read(file);

    assertThat(metadata.version()).isEqualTo(version);
    assertThat(metadata.keys()).startsWith("u8", "i8", "u16").hasSize(13);
    assertThat(metadata.integer("u8")).hasValue(200);
    assertThat(metadata.integer("i8")).hasValue(-3);
    assertThat(metadata.integer("u16")).hasValue(65_000);
    assertThat(metadata.integer("i16")).hasValue(-300);
    assertThat(metadata.integer("u32")).hasValue(4_294_967_295L);
    assertThat(metadata.integer("i32")).hasValue(-70_000);
    assertThat(metadata.integer("u64")).hasValue(1L << 40);
    assertThat(metadata.integer("i64")).hasValue(-(1L << 40));
    assertThat(metadata.number("f32")).hasValue(1.5);
    assertThat(metadata.number("f64")).hasValue(1e-300);
    assertThat(metadata.number("u8")).hasValue(200);
    assertThat(metadata.bool("yes")).contains(true);
    assertThat(metadata.bool("no")).contains(false);
    assertThat(metadata.string("text")).contains("héllo 🙂");
    assertThat(metadata.string("none")).isEmpty();
    assertThat(metadata.has("none")).isFalse();
  }

  @Test
  void readsArrays() throws IOException {
    var file =
        write(
            GgufBytes.header(3, 0, 7)
                .arrayKey("strings", 8, 3)
                .string("a")
                .string("")
                .string("Ġthe")
                .arrayKey("ints", 5, 2)
                .i32(-1)
                .i32(7)
                .arrayKey("bytes", 0, 2)
                .i8(255)
                .i8(1)
                .arrayKey("longs", 10, 1)
                .i64(1L << 33)
                .arrayKey("floats", 6, 2)
                .f32(0.5f)
                .f32(-1000)
                .arrayKey("bools", 7, 2)
                .i8(1)
                .i8(0)
                .arrayKey("empty", 8, 0));

    var metadata = GgufMetadata.read(file);

    assertThat(metadata.strings("strings")).contains(List.of("a", "", "Ġthe"));
    assertThat(metadata.ints("ints").orElseThrow()).containsExactly(-1, 7);
    assertThat(metadata.ints("bytes").orElseThrow()).containsExactly(255, 1);
    assertThat(metadata.longs("ints").orElseThrow()).containsExactly(-1, 7);
    assertThat(metadata.longs("longs").orElseThrow()).containsExactly(1L << 33);
    assertThat(metadata.floats("floats").orElseThrow()).containsExactly(0.5f, -1000);
    assertThat(metadata.bools("bools").orElseThrow()).containsExactly(true, false);
    assertThat(metadata.strings("empty")).contains(List.of());
  }

  @Test
  void namesKeyAndTypesWhenAValueIsOfAnotherType() throws IOException {
    var metadata = GgufMetadata.read(write(GgufBytes.header(3, 0, 1).key("size", 4).i32(1)));

    assertThatThrownBy(() -> metadata.string("size"))
        .isInstanceOf(GgufException.class)
        .hasMessage("The metadata's 'size' is of type Long, expected String.");
    assertThatThrownBy(() -> metadata.requireString("chat"))
        .isInstanceOf(GgufException.class)
        .hasMessageContaining("'chat'");
  }

  @Test
  void readsTheTableOfTensors() throws IOException {
    var file =
        write(
            GgufBytes.header(3, 2, 1)
                .key("general.alignment", 4)
                .i32(64)
                .tensor("a", 3, 0, 64, 2)
                .tensor("b", 0, 128, 4)
                .data(64, 128 + 16));
    var start = Files.size(file) - 144;

    var tensors = GgufMetadata.read(file).tensors();

    assertThat(tensors)
        .containsExactly(
            new GgufTensor("a", List.of(64L, 2L), 3, start),
            new GgufTensor("b", List.of(4L), 0, start + 128));
    assertThat(tensors.getFirst().type()).contains(GgmlType.Q4_1);
  }

  @Test
  void acceptsTensorTypesThatAreNewerThanItself() throws IOException {
    var file = write(GgufBytes.header(3, 1, 0).tensor("a", 77, 0, 64).data(32, 1));

    assertThat(GgufMetadata.read(file).tensors().getFirst().type()).isEmpty();
  }

  @Test
  void noticesEveryPlaceWhereAFileCanBeCutOff() throws IOException {
    var whole =
        GgufBytes.header(3, 1, 3)
            .key("a", 8)
            .string("text")
            .arrayKey("b", 8, 2)
            .string("x")
            .string("yz")
            .arrayKey("c", 5, 3)
            .i32(1)
            .i32(2)
            .i32(3)
            .tensor("t", 0, 0, 8)
            .data(32, 32)
            .toByteArray();

    assertThatCode(() -> GgufMetadata.read(write(whole))).doesNotThrowAnyException();
    for (var length = 0; length < whole.length; length++) {
      var file = write(Arrays.copyOf(whole, length));
      for (Predicate<String> keys : List.<Predicate<String>>of(_ -> true, _ -> false)) {
        assertThatThrownBy(() -> GgufMetadata.read(file, keys))
            .as("cut to %d bytes", length)
            .isInstanceOf(GgufException.class)
            .hasMessageContaining(file.toString());
      }
    }
  }

  @Test
  void passesOverValuesThatAreNotAskedFor() throws IOException {
    var file =
        write(
            GgufBytes.header(3, 1, 6)
                .key("text", 8)
                .string("no")
                .arrayKey("strings", 8, 2)
                .string("a")
                .string("")
                .arrayKey("nested", 9, 1)
                .i32(5)
                .i64(2)
                .i32(1)
                .i32(2)
                .arrayKey("floats", 6, 2)
                .f32(0.5f)
                .f32(-1000)
                .key("wanted", 4)
                .i32(7)
                .key("general.alignment", 4)
                .i32(64)
                .tensor("t", 0, 0, 8)
                .data(64, 32));

    var metadata = GgufMetadata.read(file, "wanted"::equals);

    assertThat(metadata.integer("wanted")).hasValue(7);
    assertThat(metadata.has("strings")).isFalse();
    assertThat(metadata.tensors()).isEqualTo(GgufMetadata.read(file).tensors());
  }

  @Test
  void survivesBytesThatWereChangedAtRandom() throws IOException {
    var whole =
        GgufBytes.header(3, 1, 3)
            .key("a", 8)
            .string("text")
            .arrayKey("b", 8, 2)
            .string("x")
            .string("yz")
            .arrayKey("c", 9, 1)
            .i32(5)
            .i64(2)
            .i32(1)
            .i32(2)
            .tensor("t", 2, 0, 32, 2)
            .data(32, 36)
            .toByteArray();
    var random = new Random(20260101);
    for (var round = 0; round < 3000; round++) {
      var hurt = whole.clone();
      for (var i = 0; i <= random.nextInt(3); i++) {
        hurt[random.nextInt(hurt.length)] = (byte) random.nextInt(256);
      }
      var file = write(hurt);
      try {
        GgufMetadata.read(file, round % 2 == 0 ? _ -> true : _ -> false);
      } catch (GgufException _) {
        // The one error that may come of it; any other fails the test.
      }
    }
  }

  @Test
  void refusesLengthsThatTheFileCannotHold() throws IOException {
    refuses(GgufBytes.header(3, 0, Long.MAX_VALUE), "number of metadata values");
    refuses(GgufBytes.header(3, -1, 0), "number of tensors", "18446744073709551615");
    refuses(GgufBytes.header(3, 0, 1).i64(1L << 40).ascii("12345"), "a key");
    refuses(GgufBytes.header(3, 0, 1).key("k", 8).i64(-1), "the value of 'k'");
    refuses(GgufBytes.header(3, 0, 1).arrayKey("k", 5, 1L << 50), "length of 'k'");
    refuses(GgufBytes.header(3, 0, 1).key("k", 13).i64(0), "unknown value type 13");
    refuses(GgufBytes.header(3, 0, 1).key("k", 7).i8(2), "truth value of 'k'");
    refuses(GgufBytes.header(3, 0, 2).key("k", 7).i8(1).key("k", 7).i8(1), "'k' stands twice");
    refuses(GgufBytes.header(3, 0, 1).key("general.alignment", 4).i32(0), "general.alignment is 0");
    var nested = GgufBytes.header(3, 0, 1).key("k", 9);
    for (var depth = 0; depth < 50; depth++) {
      nested.i32(9).i64(1);
    }
    refuses(nested, "nested too deep");
  }

  @Test
  void refusesTensorsThatAreNotInTheFile() throws IOException {
    refuses(GgufBytes.header(3, 1, 0).tensor("t", 0, 0, 9).data(32, 32), "'t'", "cut off");
    refuses(GgufBytes.header(3, 1, 0).tensor("t", 0, -32, 8).data(32, 32), "'t' begins");
    refuses(GgufBytes.header(3, 1, 0).tensor("t", 0, 1, 4).data(32, 32), "'t' begins");
    refuses(GgufBytes.header(3, 1, 0).tensor("t", 0, 0, -8).data(32, 32), "negative extent");
    refuses(
        GgufBytes.header(3, 1, 0).tensor("t", 0, 0, 1L << 40, 1L << 40).data(32, 32),
        "impossible shape");
    refuses(
        GgufBytes.header(3, 2, 0).tensor("t", 0, 0, 1).tensor("t", 0, 0, 1).data(32, 32),
        "'t' stands twice");
  }

  @Test
  void refusesOtherFiles() throws IOException {
    refuses(new GgufBytes().ascii("<html>not found</html>"), "does not begin with 'GGUF'");
    refuses(GgufBytes.header(1, 0, 0), "version 1 is not read");
    refuses(GgufBytes.header(0x03000000, 0, 0), "big-endian");
    assertThatThrownBy(() -> GgufMetadata.read(folder.resolve("absent.gguf")))
        .isInstanceOf(GgufException.class)
        .hasMessageContaining("absent.gguf");
  }

  @Test
  void readsALargeVocabularyQuickly() throws IOException {
    var count = 150_000;
    var bytes = GgufBytes.header(3, 0, 2).arrayKey("tokenizer.ggml.tokens", 8, count);
    for (var i = 0; i < count; i++) {
      bytes.string("Ġtoken" + i);
    }
    bytes.arrayKey("tokenizer.ggml.token_type", 5, count);
    for (var i = 0; i < count; i++) {
      bytes.i32(1);
    }
    var file = write(bytes);

    var start = System.nanoTime();
    var metadata = GgufMetadata.read(file);
    var taken = Duration.ofNanos(System.nanoTime() - start);

    assertThat(metadata.strings("tokenizer.ggml.tokens").orElseThrow())
        .hasSize(count)
        .endsWith("Ġtoken149999");
    // Some 50 ms; the bound only tells linear work from worse on a busy machine.
    assertThat(taken).isLessThan(Duration.ofSeconds(5));
  }

  private void refuses(GgufBytes bytes, String... words) throws IOException {
    var file = write(bytes);
    assertThatThrownBy(() -> GgufMetadata.read(file))
        .isInstanceOf(GgufException.class)
        .hasMessageContainingAll(words);
  }

  private Path write(GgufBytes bytes) throws IOException {
    return write(bytes.toByteArray());
  }

  private Path write(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("model.gguf"), bytes);
  }
}
