package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Matchers of every kind of constraint, and their steps forth and back. */
class ConstraintMatcherTest {
  private static final Tokenizer tokenizer = Vocabularies.smolLm();

  @AutoClose private static final ConstraintCompiler compiler = ConstraintCompiler.of(tokenizer);

  private static boolean admits(Constraint constraint, String text) {
    try (var matcher = compiler.compile(constraint)) {
      return Texts.admits(matcher, tokenizer, text);
    }
  }

  private static boolean begins(Constraint constraint, String text) {
    try (var matcher = compiler.compile(constraint)) {
      var tokens = tokenizer.encode(text, false);
      return matcher.accept(tokens) == tokens.length;
    }
  }

  @Test
  void matchesARegexAsAWhole() {
    var digits = new Constraint.Regex("[a-c]+/\\d{2}");
    assertThat(admits(digits, "abc/12")).isTrue();
    assertThat(begins(digits, "abc/123")).isFalse();
    assertThat(begins(digits, "x")).isFalse();
    assertThat(begins(digits, "a/\u0661")).as("\\d is ASCII").isFalse();
    assertThat(admits(new Constraint.Regex("^ab$"), "ab")).isTrue();
    assertThat(admits(new Constraint.Regex("(?:yes|no)\\$"), "no$")).isTrue();
    assertThat(admits(new Constraint.Regex("[\\w.]+\n"), "a.b\n")).isTrue();
    assertThat(admits(new Constraint.Regex(""), "")).isTrue();
    assertThat(begins(new Constraint.Regex("[^\\S]"), "\u2029")).as("so is \\S").isFalse();
    assertThat(admits(new Constraint.Regex("\\D[\\W_]"), "\u0661_")).isTrue();
  }

  @Test
  void admitsOneOfTheChoices() {
    var choice = new Constraint.Choice(List.of("no", "not \"now\"\n", "\u00e9t\u00e9"));
    assertThat(admits(choice, "no")).isTrue();
    assertThat(admits(choice, "not \"now\"\n")).isTrue();
    assertThat(admits(choice, "\u00e9t\u00e9")).isTrue();
    assertThat(begins(choice, "yes")).isFalse();
    assertThat(admits(choice, "not")).isFalse();
  }

  @Test
  void derivesALarkGrammar() {
    var nested = new Constraint.Grammar("start: \"(\" start \")\" | NUMBER\nNUMBER: /[0-9]+/");
    assertThat(admits(nested, "((42))")).isTrue();
    assertThat(admits(nested, "((42)")).isFalse();
    assertThat(begins(nested, "(42))")).isFalse();
  }

  @Test
  void putsPartsTogether() {
    var constraint =
        Constraint.Sequence.of(
            new Constraint.Text("call "),
            new Constraint.Repeat(new Constraint.Choice(List.of("a", "b")), 2, 3),
            new Constraint.Either(List.of(new Constraint.Text("!"), new Constraint.Regex("\\?+"))),
            new Constraint.JsonObject(Constraint.JsonWhitespace.COMPACT),
            new Constraint.Text("</call>"));
    assertThat(admits(constraint, "call ab!{\"x\":[1]}</call>")).isTrue();
    assertThat(admits(constraint, "call aaa??{}</call>")).isTrue();
    assertThat(begins(constraint, "call a!")).isFalse();
    assertThat(begins(constraint, "call abab")).isFalse();
    assertThat(begins(constraint, "call ab!{}<x")).isFalse();
  }

  @Test
  void writesSpecialTokensAsTheseTokens() {
    var start = tokenizer.idOf("<|im_start|>").orElseThrow();
    var constraint = new Constraint.Text("<|im_start|>tool");
    try (var matcher = compiler.compile(constraint)) {
      assertThat(RandomWalk.allowed(tokenizer, matcher).stream()).containsExactly(start);
      assertThat(matcher.forced()[0]).isEqualTo(start);
      assertThat(RandomWalk.allowed(tokenizer, matcher).stream()).containsExactly(start);
      assertThat(matcher.accept(tokenizer.encode("<", false))).isZero();
      assertThat(matcher.accept(start)).isTrue();
      matcher.rollback(1);
      assertThat(matcher.accept(start)).isTrue();
      assertThat(matcher.accept(tokenizer.encode("tool", false))).isPositive();
      assertThat(matcher.isComplete()).isTrue();
    }
    try (var json = compiler.compile(new Constraint.JsonSchema("{\"type\":\"string\"}", true))) {
      assertThat(json.accept(tokenizer.encode("\"", false))).isOne();
      assertThat(RandomWalk.allowed(tokenizer, json).get(start))
          .as("a special token is no text")
          .isFalse();
    }
  }

  @Test
  void constrainsWhatFollowsAnEndOfFreeText() {
    var constraint =
        Constraint.Sequence.of(new Constraint.Until("</think>"), new Constraint.JsonObject());
    assertThat(admits(constraint, "well { </thin > so</think>{\"a\": 1}")).isTrue();
    assertThat(admits(constraint, "</think>{}")).isTrue();
    assertThat(begins(constraint, "so</think>x")).isFalse();
    assertThat(begins(constraint, "so</think></think>")).isFalse();
  }

  private static Constraint.Triggered calls(int max) {
    var call =
        Constraint.Sequence.of(
            new Constraint.Text("\n{\"name\": \"f\", \"arguments\": "),
            new Constraint.JsonSchema(
                "{\"type\":\"object\",\"properties\":{\"q\":{\"type\":\"boolean\"}},\"required\":[\"q\"],\"additionalProperties\":false}",
                true),
            new Constraint.Text("}\n</tool_call>"));
    return new Constraint.Triggered(
        List.of(
            new Constraint.Trigger("<tool_call>", call),
            new Constraint.Trigger("<|im_start|>python\n", new Constraint.Text("pass"))),
        max);
  }

  private static final String CALL =
      "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"q\": true}}\n</tool_call>";

  @Test
  void isFreeUntilATriggerAndConstrainedFromThere() {
    for (var max : List.of(-1, 1, 2)) {
      var constraint = calls(max);
      assertThat(admits(constraint, "just text with <tool and {\"name\"")).isTrue();
      assertThat(admits(constraint, "")).isTrue();
      assertThat(admits(constraint, "Let me see. " + CALL)).isTrue();
      assertThat(begins(constraint, "<tool_call>\n{\"name\": \"g\"")).isFalse();
      assertThat(begins(constraint, "text<tool_call>text")).isFalse();
      assertThat(admits(constraint, "text<tool_call>\n{")).isFalse();
      assertThat(admits(constraint, "so <|im_start|>python\npass")).isTrue();
      assertThat(begins(constraint, "so <|im_start|>python\nfail")).isFalse();
    }
    assertThat(admits(calls(-1), CALL + "\n" + CALL + " and " + CALL + " done")).isTrue();
    assertThat(admits(calls(2), CALL + "\n" + CALL)).isTrue();
    assertThat(begins(calls(2), CALL + "\n" + CALL + "\n")).isFalse();
    assertThat(begins(calls(1), CALL + "x")).isFalse();
    try (var matcher = compiler.compile(calls(1))) {
      assertThat(matcher.accept(tokenizer.encode(CALL, false))).isPositive();
      assertThat(matcher.isComplete()).isTrue();
    }
  }

  @Test
  void goesBackAsIfItHadNeverGone() {
    var random = new Random(5);
    for (var seed = 0; seed < 8; seed++) {
      for (var schema : Schemas.ALL) {
        var constraint = new Constraint.JsonSchema(schema.schema(), true);
        try (var matcher = compiler.compile(constraint)) {
          var tokens =
              new RandomWalk(tokenizer, seed % 2 == 0).walk(matcher, new Random(seed), 30).tokens();
          var back = random.nextInt(tokens.size() + 1);
          if (random.nextBoolean() && matcher.accept(tokenizer.eosId().orElseThrow())) {
            matcher.rollback(1);
          }
          matcher.rollback(back);
          try (var fresh = compiler.compile(constraint);
              var copy = matcher.copy()) {
            for (var token : tokens.subList(0, tokens.size() - back)) {
              assertThat(fresh.accept(token)).isTrue();
            }
            same(matcher, fresh);
            same(copy, fresh);
            for (var token : tokens.subList(tokens.size() - back, tokens.size())) {
              assertThat(copy.accept(token)).isTrue();
            }
            assertThat(copy.isAccepting()).isTrue();
            same(matcher, fresh);
          }
        }
      }
    }
  }

  private static void same(ConstraintMatcher one, ConstraintMatcher other) {
    assertThat(RandomWalk.allowed(tokenizer, one)).isEqualTo(RandomWalk.allowed(tokenizer, other));
    assertThat(one.isAccepting()).isEqualTo(other.isAccepting());
    assertThat(one.isComplete()).isEqualTo(other.isComplete());
    assertThat(one.forced()).isEqualTo(other.forced());
  }

  @Test
  void writesTheSameMaskOnAndOffTheHeap() {
    try (var matcher = compiler.compile(new Constraint.JsonObject());
        var arena = Arena.ofConfined()) {
      // A model's logits are often padded beyond the vocabulary.
      var words = (tokenizer.vocabularySize() + 31) / 32 + 3;
      var bits = arena.allocate(ValueLayout.JAVA_INT, words).fill((byte) -1);
      matcher.mask(bits);
      var onHeap = RandomWalk.allowed(tokenizer, matcher);
      assertThat(BitSet.valueOf(bits.asByteBuffer())).isEqualTo(onHeap);
      assertThat(onHeap.cardinality()).isPositive();
      assertThatThrownBy(() -> matcher.mask(bits.asSlice(0, 8)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void staysWhereItIsWhenATokenDoesNotFit() {
    try (var matcher = compiler.compile(new Constraint.Choice(List.of("left", "right")))) {
      assertThat(matcher.accept(tokenizer.eosId().orElseThrow())).isFalse();
      assertThat(matcher.accept(-1)).isFalse();
      assertThat(matcher.accept(tokenizer.vocabularySize())).isFalse();
      assertThat(matcher.accept(tokenizer.encode("up", false))).isZero();
      assertThat(matcher.accept(tokenizer.encode("left", false))).isPositive();
      assertThatThrownBy(() -> matcher.rollback(9)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void givesEveryHandleBack() throws InterruptedException {
    var before = ConstraintCompiler.liveHandles();
    var matchers = new ArrayList<ConstraintMatcher>();
    try (var own = ConstraintCompiler.of(Vocabularies.small("llama3"))) {
      for (var schema : Schemas.ALL) {
        var matcher = own.compile(new Constraint.JsonSchema(schema.schema(), true));
        matchers.add(matcher);
        matchers.add(matcher.copy());
      }
      assertThatThrownBy(() -> own.compile(new Constraint.Regex("(")))
          .isInstanceOf(ConstraintException.Invalid.class);
    }
    assertThat(ConstraintCompiler.liveHandles()).isGreaterThan(before);
    var last = matchers.getLast();
    last.mask(new long[2000]);
    matchers.forEach(ConstraintMatcher::close);
    last.close();
    for (var i = 0; i < 100 && ConstraintCompiler.liveHandles() > before; i++) {
      Thread.sleep(20); // threads that compile let go last
    }
    assertThat(ConstraintCompiler.liveHandles()).isEqualTo(before);
    assertThatThrownBy(last::isComplete).isInstanceOf(IllegalStateException.class);
  }
}
