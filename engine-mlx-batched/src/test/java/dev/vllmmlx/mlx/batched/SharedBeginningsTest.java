package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A prompt that parts from others in the midst of a block has all before that for nothing. */
class SharedBeginningsTest {
  private static final int BLOCK = 64;
  private static final long SEED = Long.getLong("beginnings.seed", 20261129);

  @TempDir static Path folder;

  @Test
  void areNotComputedAgainAndChangeNoAnswer() throws Exception {
    var tiny = Engines.tinyModel(folder);
    var random = new Random(SEED);
    var trunk = letters(random, 2 * BLOCK);
    var options = Map.of("use-paged-cache", "true", "block-size", Integer.toString(BLOCK));
    try (var simple = Engines.simple(Optional.of(tiny));
        var batched = Engines.batched(Optional.of(tiny), options)) {
      Requests.of("first", trunk + "!", 2).ask(batched).finished();
      for (var round = 0; round < 40; round++) {
        var shared = random.nextInt(2 * BLOCK);
        var prompt = trunk.substring(0, shared) + "-" + letters(random, random.nextInt(BLOCK));
        var plain = Requests.of("round-" + round, prompt, 12);
        var request = round % 2 == 0 ? plain : plain.sampling(Requests.seeded(1, round));
        var alone = request.ask(simple);
        alone.finished();
        var answer = request.ask(batched);
        var usage = answer.finished().usage();
        var what = "seed %d: %d of %s".formatted(SEED, shared, prompt);
        assertThat(answer.tokens()).as(what).isEqualTo(alone.tokens());
        assertThat(usage.cachedTokens())
            .as(what)
            .isBetween(Math.min(shared, prompt.length() - 1), prompt.length() - 1);
      }
    }
  }

  private static String letters(Random random, int count) {
    return random
        .ints(count, 'a', 'z' + 1)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
