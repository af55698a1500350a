package dev.vllmmlx.text.grammar;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;

/**
 * Tells a person what a JSON Schema admits: whether it compiles, and which texts its masks let a
 * model write, token by token. For one thread.
 */
public final class GrammarCheck implements AutoCloseable {
  private final Tokenizer tokenizer;
  private final TokenBytes vocabulary;
  private final PlainTokens tokens;
  private final ConstraintCompiler compiler;

  public GrammarCheck(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    this.compiler = ConstraintCompiler.of(tokenizer);
    this.vocabulary = new TokenBytes(tokenizer);
    this.tokens = new PlainTokens(tokenizer, vocabulary);
  }

  /**
   * @param compileMillis how long compiling took, with the first mask
   * @param ignored what the masks do not keep
   * @param texts one for each text
   * @param maskMicros how long each mask took
   */
  public record Report(
      double compileMillis,
      List<IgnoredKeyword> ignored,
      List<Verdict> texts,
      List<Double> maskMicros) {}

  /**
   * @param tokens how many were let through
   * @param refusal where the masks stopped it; empty where the whole text is admitted
   */
  public record Verdict(int tokens, Optional<Refusal> refusal) {
    public boolean admitted() {
      return refusal.isEmpty();
    }
  }

  /**
   * @param character how much of the text was let through, in characters
   * @param token what was refused there, as text; empty for the end
   * @param why in a few words
   */
  public record Refusal(int character, String token, String why) {}

  /**
   * @param texts one for each instance. One that JSON could write with fewer escapes is admitted
   *     also where it would be if it were written so
   * @throws ConstraintException when the schema does not compile
   */
  public Report check(Constraint.JsonSchema schema, List<String> texts) {
    var start = System.nanoTime();
    try (var matcher = compiler.compile(schema)) {
      var millis = (System.nanoTime() - start) / 1e6;
      var verdicts = new ArrayList<Verdict>();
      var micros = new ArrayList<Double>();
      for (var text : texts) {
        var verdict = walk(matcher, text, micros);
        var plain = verdict.admitted() ? text : withoutNeedlessEscapes(text);
        if (!plain.equals(text)) {
          var other = walk(matcher, plain, micros);
          verdict = other.admitted() ? other : verdict;
        }
        verdicts.add(verdict);
      }
      return new Report(millis, matcher.ignored(), verdicts, micros);
    }
  }

  private Verdict walk(ConstraintMatcher start, String text, List<Double> micros) {
    var ids = tokens.of(text);
    try (var matcher = start.copy();
        var arena = Arena.ofConfined()) {
      var bits = arena.allocate(ValueLayout.JAVA_INT, (vocabulary.size() + 31) / 32);
      var bytes = 0;
      for (var i = 0; i < ids.length; i++) {
        var before = System.nanoTime();
        matcher.mask(bits);
        micros.add((System.nanoTime() - before) / 1e3);
        var word = bits.getAtIndex(ValueLayout.JAVA_INT, ids[i] >>> 5);
        if ((word >>> (ids[i] & 31) & 1) == 0) {
          return refused(i, text, bytes, token(ids[i]), "the mask does not allow it here");
        }
        if (!matcher.accept(ids[i])) {
          return refused(i, text, bytes, token(ids[i]), "the mask allows it and it does not fit");
        }
        bytes += vocabulary.text(ids[i]).length;
      }
      if (bytes < text.getBytes(StandardCharsets.UTF_8).length) {
        return refused(ids.length, text, bytes, "", "the vocabulary has no token for what follows");
      }
      return matcher.isAccepting()
          ? new Verdict(ids.length, Optional.empty())
          : refused(ids.length, text, bytes, "", "more must follow");
    } catch (ConstraintException.Stuck e) {
      return refused(0, text, 0, "", e.getMessage());
    }
  }

  private static Verdict refused(int tokens, String text, int bytes, String token, String why) {
    var through =
        new String(text.getBytes(StandardCharsets.UTF_8), 0, bytes, StandardCharsets.UTF_8);
    return new Verdict(
        tokens, Optional.of(new Refusal(Math.min(through.length(), text.length()), token, why)));
  }

  private String token(int id) {
    return tokenizer.decode(new int[] {id}, false);
  }

  /** The same JSON with characters for their escapes, or {@code text} where it has none. */
  private static String withoutNeedlessEscapes(String text) {
    if (!text.contains("\\u") && !text.contains("\\/")) {
      return text;
    }
    try {
      return JsonSchemaSource.JSON.readTree(text).toString();
    } catch (JacksonException e) {
      return text;
    }
  }

  @Override
  public void close() {
    compiler.close();
  }
}
