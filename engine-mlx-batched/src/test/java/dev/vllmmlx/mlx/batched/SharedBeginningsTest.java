package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a prompt has in common with others is not computed again, wherever in a block they part. */
class SharedBeginningsTest {
  private static final int BLOCK = 64;
  private static final Map<String, String> OPTIONS =
      Map.of("use-paged-cache", "true", "block-size", Integer.toString(BLOCK));
  private static final long SEED = Long.getLong("beginnings.seed", 20261129);

  @TempDir static Path folder;

  @Test
  void areNotComputedAgainAndChangeNoAnswer() throws Exception {
    var tiny = Engines.tinyModel(folder);
    var random = new Random(SEED);
    var trunk = letters(random, 2 * BLOCK);
    try (var simple = Engines.simple(Optional.of(tiny));
        var batched = Engines.batched(Optional.of(tiny), OPTIONS)) {
      Requests.of("first", trunk + "!", 2).ask(batched).finished();
      for (var round = 0; round < 40; round++) {
        var shared = random.nextInt(2 * BLOCK);
        var prompt = trunk.substring(0, shared) + "-" + letters(random, random.nextInt(BLOCK));
        var plain = Requests.of("round-" + round, prompt, 12);
        var request = round % 2 == 0 ? plain : plain.sampling(Requests.seeded(1, round));
        var answer = sameAnswer(request, simple, batched);
        assertThat(answer.finished().usage().cachedTokens())
            .as("seed %d: %d of %s", SEED, shared, prompt)
            .isBetween(Math.min(shared, prompt.length() - 1), prompt.length() - 1);
      }
    }
  }

  @Test
  void ofATurnOfAChatAreAllOfTheTurnBefore() throws Exception {
    var tiny = Engines.tinyModel(folder);
    try (var simple = Engines.simple(Optional.of(tiny));
        var batched = Engines.batched(Optional.of(tiny), OPTIONS)) {
      var prompt = "A question.";
      for (var turn = 0; turn < 12; turn++) {
        var request =
            Requests.of("turn-" + turn, prompt, 20).constraint(new Constraint.Regex("[ab]{20}"));
        var answer = sameAnswer(request, simple, batched);
        Engines.awaitIdle(batched);
        // All but the question and the answer's last token, whose scores nobody wanted.
        var known = turn == 0 ? 0 : prompt.length() - " And again?".length() - 1;
        assertThat(answer.finished().usage().cachedTokens()).as("turn %d", turn).isEqualTo(known);
        prompt += answer.text() + " And again?";
      }
    }
  }

  /** The batched engine's answer, which is the simple one's. */
  private static Answer sameAnswer(Requests request, Engine simple, Engine batched)
      throws Exception {
    var alone = request.ask(simple);
    alone.finished();
    var answer = request.ask(batched);
    answer.finished();
    assertThat(answer.tokens()).as("seed %d: %s", SEED, request.prompt()).isEqualTo(alone.tokens());
    return answer;
  }

  /** A token each: the tokenizer would merge "t" and "h". */
  private static String letters(Random random, int count) {
    return random
        .ints(count, 'a', 'g' + 1)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
