package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.mlx.sequence.TinyTokenizer;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.TokenLogprob;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every field of a request does in a batch what it does alone, and to nobody else: all of them go
 * together, each to a prompt of its own, beside neighbours that say otherwise; each has its effect,
 * and is the same to the bit as alone in the simple engine.
 */
class EachItsOwnSamplingTest {
  private static final int TOKENS = 40;
  private static final Sampling HOT = Requests.seeded(1.3f, 11);
  private static final StopConditions LONG =
      new StopConditions(TOKENS, 0, List.of(), Set.of(), true);

  @TempDir static Path folder;
  private static Path tiny;
  private static Engine simple;

  @BeforeAll
  static void open() {
    tiny = Engines.tinyModel(folder);
    simple = Engines.simple(Optional.of(tiny));
  }

  @AfterAll
  static void close() {
    simple.close();
  }

  /** A field's effect on an answer, given what the same request gets without it. */
  private interface Effect {
    void see(Answer with, Answer without) throws Exception;
  }

  private record Field(Requests with, Requests without, Effect effect) {}

  private static Requests plain(String name) {
    return Requests.of(name, "Tell me of " + name + ".", TOKENS).stop(LONG);
  }

  private static Map<String, Field> fields() {
    var all = new LinkedHashMap<String, Field>();
    var hot = plain("fields").sampling(HOT);
    all.put("temperature 0", new Field(plain("fields"), hot, (with, _) -> assertLikeliest(with)));
    all.put("temperature", new Field(hot, plain("fields"), (with, _) -> assertNotLikeliest(with)));
    all.put(
        "top_k",
        new Field(
            hot.sampling(cut(1, 2, 0)).logprobs(OptionalInt.of(2)),
            hot.logprobs(OptionalInt.of(2)),
            (with, without) -> {
              assertThat(ranks(with)).containsOnly(0, 1);
              assertThat(ranks(without)).contains(-1);
            }));
    all.put(
        "top_k 1", new Field(hot.sampling(cut(1, 1, 0)), hot, (with, _) -> assertLikeliest(with)));
    all.put(
        "top_p",
        new Field(hot.sampling(cut(0.0001f, 0, 0)), hot, (with, _) -> assertLikeliest(with)));
    all.put(
        "min_p", new Field(hot.sampling(cut(1, 0, 1)), hot, (with, _) -> assertLikeliest(with)));
    all.put(
        "presence_penalty",
        new Field(
            plain("fields").sampling(penalties(1, 2, 0)),
            plain("fields"),
            (with, without) -> assertMoreVaried(with, without)));
    all.put(
        "frequency_penalty",
        new Field(
            plain("fields").sampling(penalties(1, 0, 2)),
            plain("fields"),
            (with, without) -> assertMoreVaried(with, without)));
    all.put(
        "repetition_penalty",
        new Field(
            plain("fields").sampling(penalties(3, 0, 0)),
            plain("fields"),
            (with, without) -> assertMoreVaried(with, without)));
    all.put(
        "logit_bias",
        new Field(
            plain("fields").sampling(bias(Map.of(77, 100f))),
            plain("fields"),
            (with, without) -> {
              assertThat(ids(with)).containsOnly(77);
              assertThat(ids(without)).isNotEqualTo(ids(with));
            }));
    all.put(
        "seed",
        new Field(
            hot.sampling(Requests.seeded(1.3f, 12)),
            hot,
            (with, without) -> assertThat(ids(with)).isNotEqualTo(ids(without))));
    all.put(
        "stop",
        new Field(
            hot.stop(stop(0, List.of("e", "a", "\n"), true)),
            hot,
            (with, without) -> {
              assertThat(with.text()).doesNotContain("e", "a", "\n");
              assertThat(ids(without)).startsWith(ids(with).toArray(Integer[]::new));
            }));
    all.put(
        "max_tokens",
        new Field(
            hot.stop(new StopConditions(3, 0, List.of(), Set.of(), true)),
            hot,
            (with, without) -> {
              assertThat(ids(with)).hasSize(3);
              assertThat(with.finished().reason()).isEqualTo(FinishReason.LENGTH);
              assertThat(ids(without)).hasSize(TOKENS);
            }));
    // What would end the answer is made likely.
    var ending = plain("fields").sampling(bias(Map.of(TinyTokenizer.EOS, 100f)));
    var ends = ending.stop(stop(0, List.of(), false));
    all.put(
        "min_tokens",
        new Field(
            ending.stop(stop(9, List.of(), false)),
            ends,
            (with, without) -> {
              assertThat(with.finished().usage().completionTokens()).isEqualTo(10);
              assertThat(without.finished().usage().completionTokens()).isEqualTo(1);
            }));
    all.put(
        "ignore_eos",
        new Field(
            ending,
            ends,
            (with, _) -> assertThat(with.finished().usage().completionTokens()).isEqualTo(TOKENS)));
    all.put(
        "logprobs",
        new Field(
            plain("fields").logprobs(OptionalInt.of(3)),
            plain("fields").logprobs(OptionalInt.empty()),
            (with, without) -> {
              assertThat(alternatives(with)).containsOnly(3).hasSize(TOKENS);
              assertThat(alternatives(without)).isEmpty();
              assertThat(with.text()).isEqualTo(without.text());
            }));
    all.put(
        "constraint",
        new Field(
            hot.constraint(new Constraint.Regex("[xyz]{12}")).logprobs(OptionalInt.empty()),
            hot.logprobs(OptionalInt.empty()),
            (with, without) -> {
              assertThat(with.text()).matches("[xyz]{12}");
              assertThat(without.text()).doesNotMatch("[xyz]*");
            }));
    return all;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void inABatch(boolean paged) throws Exception {
    var fields = fields();
    var options = Map.of("use-paged-cache", Boolean.toString(paged), "max-num-seqs", "64");
    try (var engine = Engines.batched(Optional.of(tiny), options)) {
      var with = new LinkedHashMap<String, Answer>();
      var without = new LinkedHashMap<String, Answer>();
      for (var field : fields.entrySet()) {
        with.put(field.getKey(), ask(field.getValue().with(), "with " + field.getKey(), engine));
        without.put(
            field.getKey(), ask(field.getValue().without(), "without " + field.getKey(), engine));
      }
      for (var field : fields.entrySet()) {
        var name = field.getKey();
        with.get(name).finished();
        without.get(name).finished();
        try {
          field.getValue().effect().see(with.get(name), without.get(name));
        } catch (AssertionError e) {
          throw new AssertionError(name + ": " + e.getMessage(), e);
        }
        assertAsAlone(name, with.get(name), field.getValue().with());
        assertAsAlone("without " + name, without.get(name), field.getValue().without());
      }
    }
  }

  /** What the original does wrong: its rows share one sampler. */
  @Test
  void aGreedyRequestStaysGreedyBesideHotOnes() throws Exception {
    try (var engine = Engines.batched(Optional.of(tiny), Map.of("use-paged-cache", "true"))) {
      var hot = new ArrayList<Answer>();
      for (var i = 0; i < 7; i++) {
        hot.add(plain("hot").sampling(Requests.seeded(2, i)).ask(engine));
      }
      var greedy = plain("cold").ask(engine);
      greedy.finished();
      assertLikeliest(greedy);
      var different = new HashSet<List<Integer>>();
      for (var answer : hot) {
        answer.finished();
        different.add(ids(answer));
      }
      assertThat(different).hasSize(7);
    }
  }

  private static Answer ask(Requests request, String id, Engine engine) {
    return named(request, id).ask(engine);
  }

  private static Requests named(Requests it, String id) {
    return new Requests(
        id,
        0,
        it.prompt(),
        it.sampling(),
        it.stop(),
        it.constraint(),
        it.logprobs(),
        it.deadline(),
        0,
        "");
  }

  private static void assertAsAlone(String name, Answer answer, Requests request)
      throws InterruptedException {
    var alone = request.ask(simple);
    assertThat(answer.finished().reason()).as(name).isEqualTo(alone.finished().reason());
    assertThat(answer.text()).as(name).isEqualTo(alone.text());
    assertThat(answer.tokens()).as(name).isEqualTo(alone.tokens());
  }

  private static void assertLikeliest(Answer answer) {
    assertThat(ranks(answer)).hasSize(TOKENS).containsOnly(0);
  }

  private static void assertNotLikeliest(Answer answer) {
    assertThat(ranks(answer)).contains(-1);
  }

  private static void assertMoreVaried(Answer with, Answer without) {
    assertThat(new HashSet<>(ids(with)).size()).isGreaterThan(new HashSet<>(ids(without)).size());
  }

  private static List<Integer> ids(Answer answer) {
    return answer.tokens().stream().map(Answer.Scored::id).toList();
  }

  /** The place of each token among the likeliest, as many as were asked for; else -1. */
  private static List<Integer> ranks(Answer answer) {
    var ranks = new ArrayList<Integer>();
    for (var delta : answer.deltas()) {
      for (var each : delta.logprobs()) {
        ranks.add(
            each.top().stream()
                .map(TokenLogprob.Candidate::id)
                .toList()
                .indexOf(each.token().id()));
      }
    }
    return ranks;
  }

  private static List<Integer> alternatives(Answer answer) {
    return answer.deltas().stream()
        .map(GenerationEvent.Delta::logprobs)
        .flatMap(List::stream)
        .map(each -> each.top().size())
        .toList();
  }

  private static StopConditions stop(int least, List<String> strings, boolean ignoreEos) {
    return new StopConditions(TOKENS, least, strings, Set.of(), ignoreEos);
  }

  private static Sampling cut(float topP, int topK, float minP) {
    return new Sampling(1.3f, topP, topK, minP, 1, 0, 0, Map.of(), OptionalLong.of(11));
  }

  private static Sampling penalties(float repetition, float presence, float frequency) {
    return new Sampling(
        0, 1, 0, 0, repetition, presence, frequency, Map.of(), OptionalLong.empty());
  }

  private static Sampling bias(Map<Integer, Float> bias) {
    return new Sampling(0, 1, 0, 0, 1, 0, 0, bias, OptionalLong.empty());
  }
}
