package dev.vllmmlx.text.reasoning;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.text.parts.PartReader;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Thinking between two marks at the beginning of the answer. Belonging to the markup, as chat
 * templates write it: a line feed after the opening mark, one before the closing mark, and up to
 * two after it. A mark that comes later is text.
 *
 * @param opens marks of which any opens thinking; none is the beginning of another
 * @param closes marks of which any closes it, whichever opened it
 * @param answerOpens marks that may open the answer itself, and are left out of it
 * @param answerCloses marks that may close it at the very end, likewise
 * @param signs a template with any of these has this format
 */
public record TaggedReasoning(
    String name,
    List<String> opens,
    List<String> closes,
    List<String> answerOpens,
    List<String> answerCloses,
    List<String> signs)
    implements ReasoningFormat {

  public TaggedReasoning {
    opens = List.copyOf(opens);
    closes = List.copyOf(closes);
    answerOpens = List.copyOf(answerOpens);
    answerCloses = List.copyOf(answerCloses);
    signs = List.copyOf(signs);
  }

  @Override
  public Set<String> marks() {
    var marks = new LinkedHashSet<>(opens);
    marks.addAll(closes);
    marks.addAll(answerOpens);
    marks.addAll(answerCloses);
    return marks;
  }

  @Override
  public String opening() {
    return opens.getFirst();
  }

  @Override
  public String closing() {
    return closes.getFirst();
  }

  @Override
  public boolean isIn(String template) {
    return signs.stream().anyMatch(template::contains);
  }

  @Override
  public boolean isOpenAfter(String prompt) {
    var text = prompt.stripTrailing();
    return opens.stream().anyMatch(open -> text.endsWith(open.stripTrailing()));
  }

  @Override
  public boolean isOpenIn(String answer) {
    var text = answer.stripLeading();
    return opens.stream().anyMatch(text::startsWith) && closes.stream().noneMatch(text::contains);
  }

  @Override
  public PartReader reader(boolean open, PartReader answer) {
    return new TaggedReasoningReader(this, open, answer);
  }

  @Override
  public Constraint constraint(boolean open, Constraint answer) {
    var behind =
        new Constraint.Either(closes.stream().map(close -> thinking(close, answer)).toList());
    if (open) {
      return behind;
    }
    var options = new ArrayList<Constraint>();
    for (var opening : opens) {
      options.add(
          Constraint.Sequence.of(
              new Constraint.Regex("[ \\n\\t\\r]{0,2}"), new Constraint.Text(opening), behind));
    }
    options.add(opened(answer));
    return new Constraint.Either(options);
  }

  private Constraint thinking(String close, Constraint answer) {
    return Constraint.Sequence.of(
        new Constraint.Until(close), new Constraint.Regex("\n{0,2}"), opened(answer));
  }

  /** The answer, with or without the marks that it may have itself. */
  private Constraint opened(Constraint answer) {
    if (answerOpens.isEmpty()) {
      return answer;
    }
    var options = new ArrayList<Constraint>();
    options.add(answer);
    for (var opening : answerOpens) {
      options.add(Constraint.Sequence.of(new Constraint.Text(opening), answer));
    }
    return new Constraint.Either(options);
  }
}
