package dev.vllmmlx.mlx.sequence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.text.grammar.ConstraintCompiler;
import dev.vllmmlx.text.grammar.ConstraintException;
import dev.vllmmlx.text.grammar.ConstraintMatcher;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sequences that must be something, or must stop thinking, with random scores. */
class ConstrainedSequenceTest {
  private static final SequenceLimits LIMITS = new SequenceLimits(200, TinyTokenizer.SIZE);

  @TempDir static Path folder;
  private static Tokenizer tokenizer;
  private static ConstraintCompiler compiler;

  private final List<GenerationEvent> events = new ArrayList<>();
  private final Random random = new Random(5);
  private int scored;

  @BeforeAll
  static void open() {
    tokenizer = TinyTokenizer.in(folder);
    compiler = ConstraintCompiler.of(tokenizer);
  }

  @AfterAll
  static void close() {
    compiler.close();
    assertThat(ConstraintCompiler.liveHandles()).isZero();
  }

  @Test
  void takesWhatMustFollowWithoutScores() {
    var schema =
        """
        {"type": "object", "properties": {"a_very_long_key": {"type": "boolean"}},
         "required": ["a_very_long_key"], "additionalProperties": false}
        """;
    var compact = new Constraint.JsonSchema(schema, true, Constraint.JsonWhitespace.COMPACT);
    run(compact, 100, OptionalInt.empty(), false);
    assertThat(text()).isIn("{\"a_very_long_key\":true}", "{\"a_very_long_key\":false}");
    assertThat(finished().reason()).isEqualTo(FinishReason.STOP);
    assertThat(finished().usage().completionTokens()).isEqualTo(text().length() - count("th"));
    assertThat(scored).isLessThan(8);
  }

  @Test
  void scoresEveryTokenWhereLikelihoodsAreAskedFor() {
    run(new Constraint.Choice(List.of("abcdefgh")), 100, OptionalInt.of(1), false);
    assertThat(text()).isEqualTo("abcdefgh");
    assertThat(scored).isEqualTo(8);
    assertThat(
            events.stream()
                .filter(GenerationEvent.Delta.class::isInstance)
                .allMatch(event -> ((GenerationEvent.Delta) event).logprobs().size() == 1))
        .isTrue();
  }

  @Test
  void endsWhereNothingMayFollow() {
    run(new Constraint.Regex("[0-9]{3}"), 100, OptionalInt.empty(), false);
    assertThat(text()).matches("[0-9]{3}");
    assertThat(finished().reason()).isEqualTo(FinishReason.STOP);
    assertThat(finished().stop()).isEmpty();
  }

  @Test
  void keepsWhatItHasWhenItIsCutAtItsLength() {
    run(new Constraint.Choice(List.of("abcdefgh")), 5, OptionalInt.empty(), false);
    assertThat(text()).isEqualTo("abcde");
    assertThat(finished().reason()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void hasNoEndBeforeItIsWhole() {
    for (var i = 0; i < 20; i++) {
      events.clear();
      run(new Constraint.Regex("(ab|cd){4,6}"), 100, OptionalInt.empty(), false);
      assertThat(text()).matches("(ab|cd){4,6}");
    }
  }

  @Test
  void goesOnToTheLongestWhereTheModelsEndIsNone() {
    run(new Constraint.Regex("(ab|cd){4,6}"), 100, OptionalInt.empty(), true);
    assertThat(text()).matches("(ab|cd){6}");
  }

  @Test
  void failsWhereItCannotGoOn() {
    var constraint =
        new AnswerConstraint(compiler.compile(new Constraint.Regex("[^a]")), TinyTokenizer.EOS);
    var sequence = sequence(100, OptionalInt.empty(), true, rules(constraint));
    var logits = new float[TinyTokenizer.SIZE];
    java.util.Arrays.fill(logits, Float.NEGATIVE_INFINITY);
    logits['a'] = 1;
    assertThatThrownBy(() -> sequence.step(logits)).isInstanceOf(EngineException.Internal.class);
    sequence.fail(new EngineException.Internal("stuck", null));
    sequence.close();
  }

  @Test
  void aConstraintThatGrowsBeyondItsLimitsAsksTooMuch() {
    var beyond =
        (ConstraintMatcher)
            Proxy.newProxyInstance(
                ConstraintMatcher.class.getClassLoader(),
                new Class<?>[] {ConstraintMatcher.class},
                (_, _, _) -> {
                  throw new ConstraintException.Stuck("too many expressions");
                });
    var constraint = new AnswerConstraint(beyond, TinyTokenizer.EOS);
    assertThatThrownBy(() -> constraint.accept(1))
        .isInstanceOf(EngineException.InvalidRequest.class)
        .hasMessageContaining("too many expressions");
    assertThatThrownBy(constraint::forced).isInstanceOf(EngineException.InvalidRequest.class);
  }

  @Test
  void closesThinkingThatIsTooLong() {
    for (var limit : new int[] {0, 1, 5}) {
      events.clear();
      var budget = new ThinkingBudget(limit, "<t>", "</t>", tokenizer, true);
      var rules = new AnswerRules(Set.of(), true, Optional.empty(), Optional.of(budget));
      run(sequence(20, OptionalInt.empty(), true, rules), 'x', TinyTokenizer.SIZE);
      assertThat(text()).startsWith("x".repeat(limit) + "</t>x").hasSize(20);
      assertThat(((GenerationEvent.Started) events.getFirst()).thinking()).isTrue();
    }
  }

  @Test
  void leavesAnAnswerAloneThatDoesNotThink() {
    var budget = new ThinkingBudget(2, "<t>", "</t>", tokenizer, false);
    var rules = new AnswerRules(Set.of(), false, Optional.empty(), Optional.of(budget));
    run(sequence(20, OptionalInt.empty(), true, rules), 'x', TinyTokenizer.SIZE);
    assertThat(text()).isEqualTo("x".repeat(20));
  }

  @Test
  void countsThinkingWhateverTokensItsMarksComeIn() {
    var budget = new ThinkingBudget(3, "<th>", "</th>", tokenizer, false);
    for (var character : "\n<th>ab".toCharArray()) {
      budget.took(byteId(character)); // "th" would be one token.
    }
    var logits = new float[TinyTokenizer.SIZE];
    budget.process(logits, null);
    assertThat(logits).as("free as yet").containsOnly(0);
    budget.took(byteId('c'));
    budget.process(logits, null);
    assertThat(logits[byteId('<')]).isZero();
    assertThat(logits[byteId('x')]).isNegative();
  }

  @Test
  void closesThinkingBehindACharacterAndNotInsideOfIt() {
    var budget = new ThinkingBudget(2, "<t>", "</t>", tokenizer, true);
    var logits = new float[TinyTokenizer.SIZE];
    for (var token : tokenizer.encode("a\u20AC", false)) { // Three bytes behind the "a".
      budget.process(logits, null);
      assertThat(logits).as("free as yet").containsOnly(0);
      budget.took(token);
    }
    budget.process(logits, null);
    assertThat(logits[byteId('<')]).isZero();
    assertThat(logits[byteId('x')]).isNegative();
  }

  @Test
  void writesSpecialTokensThatAreMarks() {
    var rules =
        new AnswerRules(Set.of(TinyTokenizer.TURN), false, Optional.empty(), Optional.empty());
    run(sequence(2, OptionalInt.empty(), true, rules), TinyTokenizer.TURN, TinyTokenizer.SIZE);
    assertThat(text()).isEqualTo("<|turn|><|turn|>");
  }

  private void run(Constraint constraint, int maxTokens, OptionalInt logprobs, boolean ignoreEos) {
    var noEnds = ignoreEos ? new int[] {TinyTokenizer.EOS, TinyTokenizer.TURN} : new int[0];
    var rules = rules(new AnswerConstraint(compiler.compile(constraint), noEnds));
    run(sequence(maxTokens, logprobs, ignoreEos, rules), -1, TinyTokenizer.SIZE);
  }

  /** Steps to the end, with random scores or one token's far above all others. */
  private void run(Sequence sequence, int likely, int size) {
    sequence.begin(0);
    sequence.started();
    scored = 0;
    var goesOn = true;
    while (goesOn) {
      goesOn = sequence.step(scores(likely, size));
      scored++;
    }
    sequence.close();
  }

  private float[] scores(int likely, int size) {
    var logits = new float[size];
    for (var id = 0; id < size; id++) {
      logits[id] = random.nextFloat();
    }
    if (likely >= 0) {
      logits[byteId(likely)] = 10;
    }
    return logits;
  }

  private static int byteId(int character) {
    return character < 256 ? tokenizer.encode(Character.toString(character), false)[0] : character;
  }

  private static AnswerRules rules(AnswerConstraint constraint) {
    return new AnswerRules(Set.of(), false, Optional.of(constraint), Optional.empty());
  }

  private Sequence sequence(
      int maxTokens, OptionalInt topLogprobs, boolean ignoreEos, AnswerRules rules) {
    var request =
        new GenerationRequest(
            "test",
            0,
            new Prompt.Tokens(new int[] {1, 2}),
            Sampling.greedy(),
            new StopConditions(maxTokens, 0, List.of(), Set.of(), ignoreEos),
            new Constraint.None(),
            topLogprobs,
            Optional.empty(),
            0,
            "");
    var outlet = new EventOutlet("test", events::add, () -> {});
    return new Sequence(
        request, new int[] {1, 2}, LIMITS, tokenizer, rules, outlet, System.nanoTime());
  }

  private String text() {
    var text = new StringBuilder();
    for (var event : events) {
      if (event instanceof GenerationEvent.Delta delta) {
        text.append(delta.text());
      }
    }
    return text.toString();
  }

  private int count(String part) {
    return (text().length() - text().replace(part, "").length()) / part.length();
  }

  private GenerationEvent.Finished finished() {
    return (GenerationEvent.Finished) events.getLast();
  }
}
