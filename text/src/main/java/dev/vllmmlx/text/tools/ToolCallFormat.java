package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.parts.PartReader;
import java.util.List;
import java.util.Set;

/**
 * How a model writes calls: what they look like, and how they are read. Immutable; any number of
 * threads may share one.
 */
public interface ToolCallFormat {

  /** The name by which users choose it. */
  String name();

  /**
   * The texts that markup is made of. Where the vocabulary has one of them as a special token, the
   * detokenizer must write it out.
   */
  Set<String> marks();

  /**
   * One call as the model writes it, alone in an answer.
   *
   * @param arguments the text of a JSON object
   */
  String written(String function, String arguments);

  /** Whether a chat template's source shows that its model writes calls like this. */
  boolean isIn(String template);

  /**
   * Reads an answer, or what comes of it behind the thinking.
   *
   * @param tools what may be called; nothing else is a call
   */
  PartReader reader(List<Tool> tools);

  /**
   * What an answer may be, or what comes of it behind the thinking: calls of declared tools with
   * arguments that fit their parameters, and text around them where no call is required.
   *
   * @param tools at least one
   * @param wanted its function, where it names one, is among the tools
   */
  Constraint constraint(List<Tool> tools, Constraint.ToolCalls wanted);
}
