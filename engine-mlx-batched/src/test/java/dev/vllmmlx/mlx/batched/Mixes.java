package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;

/**
 * Random requests that come, go, are cancelled and run out of time in a batched engine, and what
 * each of them gets alone in the simple one.
 */
final class Mixes {

  /** What a request gets alone. */
  private record Alone(String text, List<Answer.Scored> tokens, FinishReason reason) {}

  private final Engine simple;
  private final int longestPrompt;
  private final int longestAnswer;
  private final Map<GenerationRequest, Alone> known = new HashMap<>();

  Mixes(Engine simple, int longestPrompt, int longestAnswer) {
    this.simple = simple;
    this.longestPrompt = longestPrompt;
    this.longestAnswer = longestAnswer;
  }

  /** Lets a mix of requests run and compares every answer. */
  void run(Engine batched, long seed, int size) throws InterruptedException {
    var random = new Random(seed);
    var requests = new ArrayList<GenerationRequest>();
    while (requests.size() < size) {
      var request = request(random, seed + "-" + requests.size());
      var choices = random.nextInt(4) == 0 ? 1 + random.nextInt(4) : 1;
      for (var choice = 0; choice < choices; choice++) {
        requests.add(request.choice(choice).request());
      }
    }
    var answers = new ArrayList<Answer>();
    var generations = new ArrayList<Generation>();
    for (var request : requests) {
      var answer = new Answer();
      answers.add(answer);
      generations.add(batched.generate(request, answer));
      switch (random.nextInt(8)) {
        case 0 -> {
          answer.awaitFirstToken();
          generations.getLast().cancel();
        }
        // Whatever it does: it may wait, be in its prompt or answer, or have ended.
        case 1 -> generations.get(random.nextInt(generations.size())).cancel();
        case 2 -> Thread.sleep(random.nextInt(10));
        default -> {}
      }
    }
    for (var i = 0; i < requests.size(); i++) {
      var finished = answers.get(i).finished();
      var alone = known.computeIfAbsent(requests.get(i), this::alone);
      var answer = answers.get(i);
      if (finished.reason() == FinishReason.CANCELLED) {
        var count = answer.tokens().size();
        assertThat(answer.tokens())
            .as("seed %d, request %d, cancelled", seed, i)
            .isEqualTo(alone.tokens().subList(0, count));
      } else {
        assertThat(answer.text()).as("seed %d, request %d", seed, i).isEqualTo(alone.text());
        assertThat(answer.tokens()).as("seed %d, request %d", seed, i).isEqualTo(alone.tokens());
        assertThat(finished.reason()).isEqualTo(alone.reason());
      }
    }
  }

  private Alone alone(GenerationRequest request) {
    try {
      var answer = new Answer();
      simple.generate(withoutDeadline(request), answer);
      var finished = answer.finished();
      return new Alone(answer.text(), answer.tokens(), finished.reason());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static GenerationRequest withoutDeadline(GenerationRequest it) {
    return new GenerationRequest(
        it.id(),
        it.choice(),
        it.prompt(),
        it.sampling(),
        it.stop(),
        it.constraint(),
        it.thinkingTokens(),
        it.topLogprobs(),
        Optional.empty(),
        it.priority(),
        it.tenant());
  }

  /**
   * Some prompts begin alike; some requests are greedy and some seeded, each with its own fields.
   */
  private Requests request(Random random, String id) {
    var prompt = new StringBuilder("The story so far. ".repeat(random.nextInt(longestPrompt / 20)));
    var rest = random.nextInt(20);
    for (var i = 0; i < rest; i++) {
      prompt.append((char) ('a' + random.nextInt(26)));
    }
    prompt.append('.');
    var sampling =
        random.nextBoolean()
            ? Sampling.greedy()
            : new Sampling(
                0.5f + random.nextFloat(),
                random.nextBoolean() ? 1 : 0.9f,
                random.nextBoolean() ? 0 : 20,
                random.nextBoolean() ? 0 : 0.02f,
                random.nextBoolean() ? 1 : 1.2f,
                random.nextBoolean() ? 0 : 0.5f,
                random.nextBoolean() ? 0 : 0.3f,
                random.nextBoolean() ? Map.of() : Map.of(random.nextInt(200), 2f),
                OptionalLong.of(random.nextLong()));
    var stop =
        new StopConditions(
            1 + random.nextInt(longestAnswer),
            random.nextInt(3),
            random.nextInt(3) == 0 ? List.of("e") : List.of(),
            Set.of(),
            random.nextBoolean());
    var constraint =
        switch (random.nextInt(8)) {
          case 0 -> new Constraint.Regex("[a-z ]{3,30}[.]");
          case 1 -> new Constraint.Choice(List.of("yes", "no", "neither of both"));
          default -> new Constraint.None();
        };
    var request =
        Requests.of(id, prompt.toString(), 1)
            .sampling(sampling)
            .stop(stop)
            .constraint(constraint)
            .priority(random.nextInt(2))
            .tenant("tenant" + random.nextInt(2));
    return random.nextInt(12) == 0
        ? request.deadline(Instant.now().plusMillis(random.nextInt(200)))
        : request;
  }
}
