package dev.vllmmlx.text.reasoning;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.text.parts.PartReader;
import java.util.Set;

/** How a model marks what it thinks. Immutable; any number of threads may share one. */
public sealed interface ReasoningFormat permits TaggedReasoning, HarmonyReasoning {

  /** The name by which users choose it. */
  String name();

  /**
   * The texts that markup is made of. Where the vocabulary has one of them as a special token, the
   * detokenizer must write it out.
   */
  Set<String> marks();

  /** The mark that an answer opens its thinking with. */
  String opening();

  /** The mark that closes it. */
  String closing();

  /** Whether a chat template's source holds this format's markup. */
  boolean isIn(String template);

  /** Whether an answer to {@code prompt}, as rendered, begins inside of thinking. */
  boolean isOpenAfter(String prompt);

  /** Whether an answer that has come so far is inside of thinking that it opened itself. */
  boolean isOpenIn(String answer);

  /**
   * @param open whether the answer begins inside of thinking
   * @param answer reads what is not thinking
   */
  PartReader reader(boolean open, PartReader answer);

  /**
   * What a whole answer may be.
   *
   * @param open whether the answer begins inside of thinking
   * @param answer what must follow the thinking, or be the whole answer where there is none
   */
  Constraint constraint(boolean open, Constraint answer);
}
