package dev.vllmmlx.gateway.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PercentilesTest {

  @Test
  void takesTheSmallestValueThatCoversTheShare() {
    var values = IntStream.rangeClosed(1, 200).mapToObj(i -> (double) (201 - i)).toList();
    assertThat(Percentiles.of(values)).isEqualTo(new Percentiles(100, 190, 198, 200));
  }

  @Test
  void holdsForOneValueAndForNone() {
    assertThat(Percentiles.of(List.of(7.0))).isEqualTo(new Percentiles(7, 7, 7, 7));
    assertThat(Percentiles.of(List.of())).isEqualTo(new Percentiles(0, 0, 0, 0));
  }
}
