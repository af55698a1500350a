package dev.vllmmlx.mlx.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.mlx.cache.PromptCache;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PromptCacheTest {
  private final HashModel model = new HashModel();
  private final PromptCache<ModelState> cache = new PromptCache<>(3, 1_000);

  @AfterEach
  void freesEverything() {
    cache.close();
    assertThat(model.liveStates).hasValue(0);
  }

  @Test
  void givesTheLongestBeginningAtHand() {
    put("", 1, 2, 3);
    put("", 1, 2, 4, 5, 6);
    assertThat(take("", 1, 2, 4, 5, 9, 9)).isEqualTo(4);
  }

  @Test
  void leavesATokenToCompute() {
    put("", 1, 2, 3);
    assertThat(take("", 1, 2, 3)).isEqualTo(2);
    put("", 1);
    assertThat(take("", 1)).isZero();
  }

  @Test
  void keepsTenantsApart() {
    put("a", 1, 2, 3);
    assertThat(take("b", 1, 2, 3, 4)).isZero();
    assertThat(take("a", 1, 2, 3, 4)).isEqualTo(3);
  }

  @Test
  void leavesAnotherChatThatOnlyBeginsAlike() {
    var chat = range(0, 100);
    put("", chat);
    assertThat(take("", concat(range(0, 10), range(500, 520)))).isEqualTo(10);
    assertThat(take("", concat(chat, range(0, 5)))).isEqualTo(100);
  }

  @Test
  void dropsWhatALongerSequenceCovers() {
    put("", 1, 2);
    put("a", 1, 2);
    put("", 1, 2, 3);
    assertThat(cache.tokens()).isEqualTo(5);
  }

  @Test
  void dropsTheOneLongestUnused() {
    put("", 1, 1);
    put("", 2, 2);
    put("", 3, 3);
    put("", concat(range(1, 2), range(1, 2), range(7, 9)));
    // That was the first chat's next turn, so the second is the oldest now.
    put("", 4, 4);
    assertThat(take("", 2, 2, 2)).isZero();
    assertThat(take("", 3, 3, 3)).isEqualTo(2);
  }

  @Test
  void staysWithinItsBytes() {
    put("", range(0, 600));
    put("", range(1_000, 1_600));
    assertThat(cache.bytes()).isEqualTo(600);
    assertThat(take("", range(0, 601))).isZero();
    put("", range(5_000, 6_001));
    assertThat(cache.bytes()).isZero();
  }

  private void put(String tenant, int... tokens) {
    var state = model.newState();
    state.advance(tokens);
    cache.put(tenant, tokens, state);
  }

  /** The length of the state that a prompt gets, which is thrown away. */
  private int take(String tenant, int... prompt) {
    return cache
        .take(tenant, prompt)
        .map(
            state -> {
              state.close();
              return state.length();
            })
        .orElse(0);
  }

  private static int[] range(int from, int to) {
    return IntStream.range(from, to).toArray();
  }

  private static int[] concat(int[]... parts) {
    return IntStream.range(0, parts.length).flatMap(i -> IntStream.of(parts[i])).toArray();
  }
}
