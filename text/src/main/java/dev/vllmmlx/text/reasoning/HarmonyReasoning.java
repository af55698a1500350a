package dev.vllmmlx.text.reasoning;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.text.parts.PartReader;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The harmony format of gpt-oss: an answer is several messages, each with a header that names its
 * channel. {@code analysis} is thinking, the others are for the reader or for a function.
 */
public record HarmonyReasoning() implements ReasoningFormat {
  private static final String OPEN = "<|channel|>analysis<|message|>";

  @Override
  public String name() {
    return "harmony";
  }

  @Override
  public Set<String> marks() {
    return HarmonyReader.MARKS;
  }

  @Override
  public String opening() {
    return OPEN;
  }

  @Override
  public String closing() {
    return "<|end|>";
  }

  @Override
  public boolean isIn(String template) {
    return template.contains("<|channel|>") && template.contains("<|message|>");
  }

  @Override
  public boolean isOpenAfter(String prompt) {
    return prompt.endsWith(OPEN);
  }

  @Override
  public boolean isOpenIn(String answer) {
    return answer.lastIndexOf(OPEN) > answer.lastIndexOf("<|end|>");
  }

  @Override
  public PartReader reader(boolean open, PartReader answer) {
    return new HarmonyReader(open, answer, _ -> Optional.empty());
  }

  @Override
  public Constraint constraint(boolean open, Constraint answer) {
    var thinking = new Constraint.Until("<|end|>");
    var message =
        Constraint.Sequence.of(new Constraint.Text("<|channel|>final<|message|>"), answer);
    var behind =
        Constraint.Sequence.of(thinking, new Constraint.Text("<|start|>assistant"), message);
    return open
        ? behind
        : new Constraint.Either(
            List.of(Constraint.Sequence.of(new Constraint.Text(OPEN), behind), message));
  }
}
