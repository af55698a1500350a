package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Constraint;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a prompt has in common with others is not computed again, wherever in a block they part. */
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

  @Test
  void ofATurnOfAChatAreAllOfTheTurnBefore() throws Exception {
    var tiny = Engines.tinyModel(folder);
    var options = Map.of("use-paged-cache", "true", "block-size", Integer.toString(BLOCK));
    try (var simple = Engines.simple(Optional.of(tiny));
        var batched = Engines.batched(Optional.of(tiny), options)) {
      var prompt = "A question.";
      for (var turn = 0; turn < 12; turn++) {
        var request =
            Requests.of("turn-" + turn, prompt, 20).constraint(new Constraint.Regex("[ab]{20}"));
        var alone = request.ask(simple);
        alone.finished();
        var answer = request.ask(batched);
        var cached = answer.finished().usage().cachedTokens();
        Engines.awaitIdle(batched);
        assertThat(answer.tokens()).isEqualTo(alone.tokens());
        // All but the question and the answer's last token, whose scores nobody wanted.
        var known = turn == 0 ? 0 : prompt.length() - " And again?".length() - 1;
        assertThat(cached).as("turn %d", turn).isEqualTo(known);
        prompt += answer.text() + " And again?";
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
