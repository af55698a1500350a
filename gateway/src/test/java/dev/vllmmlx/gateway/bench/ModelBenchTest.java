package dev.vllmmlx.gateway.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class ModelBenchTest {

  @Test
  void sharesTheMemorysSpeed() {
    var figures =
        new ModelFigures(
            "m",
            "simple",
            List.of(new ModelFigures.Prefill(512, 1000)),
            128,
            200,
            40e9,
            OptionalDouble.of(100e6),
            OptionalDouble.empty());
    assertThat(figures.bandwidthShare().orElseThrow()).isCloseTo(0.5, within(1e-9));
    assertThat(ModelReport.table(figures)).contains("prefill of 512").contains("50%");
    assertThat(ModelReport.json(figures).at("/decode_tokens_per_second").asDouble()).isEqualTo(200);
    assertThat(ModelReport.json(figures).has("peak_bytes")).isFalse();
  }

  @Test
  void readsMemory() throws InterruptedException {
    try (var memory = new MemoryBandwidth()) {
      assertThat(memory.measure()).isGreaterThan(1e8);
    }
  }
}
