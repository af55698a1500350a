package dev.vllmmlx.mlx.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Sampling;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SamplingLimitsTest {

  static Stream<Arguments> unservable() {
    var nan = Float.NaN;
    return Stream.of(
        Arguments.of("temperature", sampling(-1, 1, 0, 0, 1, 0, 0, Map.of())),
        Arguments.of("temperature", sampling(nan, 1, 0, 0, 1, 0, 0, Map.of())),
        Arguments.of("top_p", sampling(1, 1.1f, 0, 0, 1, 0, 0, Map.of())),
        Arguments.of("top_p", sampling(1, nan, 0, 0, 1, 0, 0, Map.of())),
        Arguments.of("top_k", sampling(1, 1, -1, 0, 1, 0, 0, Map.of())),
        Arguments.of("min_p", sampling(1, 1, 0, 2, 1, 0, 0, Map.of())),
        Arguments.of("repetition_penalty", sampling(1, 1, 0, 0, 0, 0, 0, Map.of())),
        Arguments.of("presence_penalty", sampling(1, 1, 0, 0, 1, nan, 0, Map.of())),
        Arguments.of("frequency_penalty", sampling(1, 1, 0, 0, 1, 0, nan, Map.of())),
        Arguments.of("logit_bias", sampling(1, 1, 0, 0, 1, 0, 0, Map.of(10, 1f))),
        Arguments.of("logit_bias", sampling(1, 1, 0, 0, 1, 0, 0, Map.of(-1, 1f))),
        Arguments.of("logit_bias", sampling(1, 1, 0, 0, 1, 0, 0, Map.of(1, nan))));
  }

  @ParameterizedTest
  @MethodSource("unservable")
  void refusesAValueByTheNameOfItsField(String field, Sampling sampling) {
    var refusal =
        catchThrowableOfType(
            EngineException.InvalidRequest.class, () -> SamplingLimits.check(sampling, 10));
    assertThat(refusal.field()).contains(field);
    assertThat(refusal).hasMessageContaining(field);
  }

  @Test
  void takesTheEdges() {
    assertThatCode(
            () -> SamplingLimits.check(sampling(0, 0, 0, 1, 0.1f, -2, 2, Map.of(9, 100f)), 10))
        .doesNotThrowAnyException();
  }

  private static Sampling sampling(
      float temperature,
      float topP,
      int topK,
      float minP,
      float repetition,
      float presence,
      float frequency,
      Map<Integer, Float> bias) {
    return new Sampling(
        temperature, topP, topK, minP, repetition, presence, frequency, bias, OptionalLong.empty());
  }
}
