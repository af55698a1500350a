package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Blocks are known by all that comes before them, and not by their tokens alone: a prompt of the
 * same chunks in another order gets its own answer.
 */
class AlignedChunksTest {
  private static final int BLOCK = 32;
  private static final long SEED = Long.getLong("chunks.seed", 20261128);

  @TempDir static Path folder;

  @Test
  void inEveryOrderGiveTheUncachedAnswer() throws Exception {
    var tiny = Engines.tinyModel(folder);
    var chunks = new ArrayList<String>();
    for (var letter : "ABCD".toCharArray()) {
      chunks.add((letter + "1234567").repeat(BLOCK / 8));
    }
    var prompts = new ArrayList<String>();
    orders(chunks, "", prompts);
    Collections.shuffle(prompts, new Random(SEED));
    try (var simple = Engines.simple(Optional.of(tiny));
        var batched = Engines.batched(Optional.of(tiny), Map.of("use-paged-cache", "true"))) {
      for (var prompt : prompts) {
        var request = Requests.of(prompt, prompt + "T", 12);
        var alone = request.ask(simple);
        alone.finished();
        for (var round = 0; round < 2; round++) {
          var answer = request.ask(batched);
          var usage = answer.finished().usage();
          assertThat(answer.tokens()).as("seed %d: %s", SEED, prompt).isEqualTo(alone.tokens());
          if (round == 1) {
            assertThat(usage.cachedTokens()).as(prompt).isEqualTo(prompt.length());
          }
        }
      }
      assertThat(batched.status().gauges().get("prefix_hit_rate")).isGreaterThan(0.5);
    }
  }

  /** Every selection of some of the chunks, in every order. */
  private static void orders(List<String> left, String before, List<String> all) {
    for (var chunk : left) {
      all.add(before + chunk);
      var others = new ArrayList<>(left);
      others.remove(chunk);
      orders(others, before + chunk, all);
    }
  }
}
