package dev.vllmmlx.cache.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BlockBuffersTest {
  private final List<String> warnings = new ArrayList<>();

  /** Of these there is memory for. */
  private int left = Integer.MAX_VALUE;

  private int asked;

  private ByteBuffer room(Arena arena) {
    asked++;
    if (left-- == 0) {
      throw new OutOfMemoryError("no room for another");
    }
    return arena.allocate(16).asByteBuffer();
  }

  private BlockBuffers buffers(int least, int most) {
    return new BlockBuffers(least, most, this::room, warnings::add);
  }

  @Test
  void areMadeAsTheyAreAskedForAndUsedAgain() {
    try (var buffers = buffers(1, 2)) {
      assertThat(asked).isEqualTo(1);
      var first = buffers.take().orElseThrow();
      var second = buffers.take().orElseThrow();
      assertThat(second).isNotSameAs(first);
      assertThat(buffers.take()).isEmpty();
      buffers.giveBack(first);
      assertThat(buffers.take()).containsSame(first);
      assertThat(asked).isEqualTo(2);
    }
  }

  @Test
  void areAsManyAsThereIsMemoryFor() {
    left = 2;
    try (var buffers = buffers(1, 4)) {
      var first = buffers.take().orElseThrow();
      assertThat(buffers.take()).isPresent();
      assertThat(buffers.take()).isEmpty();
      assertThat(buffers.take()).isEmpty();
      assertThat(asked).as("it is not tried again").isEqualTo(3);
      assertThat(warnings).singleElement(STRING).contains("no room for another");
      buffers.giveBack(first);
      assertThat(buffers.take()).containsSame(first);
    }
  }

  @Test
  void cannotBeWithoutTheLeast() {
    left = 1;
    assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> buffers(2, 4));
  }
}
