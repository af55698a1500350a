package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.parts.PartReader;
import dev.vllmmlx.text.parts.Parts;
import dev.vllmmlx.text.parts.Scan;
import dev.vllmmlx.text.reasoning.HarmonyReader;
import dev.vllmmlx.text.reasoning.ReasoningFormats;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * gpt-oss: a call is a message to a recipient, {@code <|channel|>commentary to=functions.f
 * <|constrain|>json<|message|>{...}<|call|>}. Thinking is a message like the others, so that this
 * format reads and constrains whole answers, thinking included. There is one call in an answer.
 */
public final class HarmonyCalls implements ToolCallFormat {
  private static final String FUNCTIONS = "functions.";
  private static final String THINKING = "<|channel|>analysis<|message|>";
  private static final String NEXT = "<|start|>assistant";
  private static final String FINAL = "<|channel|>final<|message|>";

  HarmonyCalls() {}

  @Override
  public String name() {
    return "harmony";
  }

  @Override
  public Set<String> marks() {
    return ReasoningFormats.HARMONY.marks();
  }

  @Override
  public boolean isIn(String template) {
    return ReasoningFormats.HARMONY.isIn(template);
  }

  @Override
  public String written(String function, String arguments) {
    return header(function) + arguments + "<|call|>";
  }

  private static String header(String function) {
    return "<|channel|>commentary to=" + FUNCTIONS + function + " <|constrain|>json<|message|>";
  }

  @Override
  public PartReader reader(List<Tool> tools) {
    return reader(tools, false);
  }

  /**
   * Reads a whole answer.
   *
   * @param thinking whether it begins inside of thinking
   */
  public PartReader reader(List<Tool> tools, boolean thinking) {
    var calls = new Calls(tools);
    return new HarmonyReader(
        thinking,
        PartReader.ofContent(),
        recipient ->
            Optional.of(recipient)
                .filter(name -> name.startsWith(FUNCTIONS))
                .map(name -> name.substring(FUNCTIONS.length()))
                .filter(calls::isDeclared)
                .map(name -> new CallMessage(name, calls)));
  }

  @Override
  public Constraint constraint(List<Tool> tools, Constraint.ToolCalls wanted) {
    return messages(wanted, tools);
  }

  /**
   * The constraint of a whole answer.
   *
   * @param wanted what it must be behind the thinking
   * @param thinking whether it begins inside of thinking
   */
  public Constraint constraint(Constraint wanted, List<Tool> tools, boolean thinking) {
    var messages = messages(wanted, tools);
    var behind =
        Constraint.Sequence.of(
            new Constraint.Until("<|end|>"), new Constraint.Text(NEXT), messages);
    return thinking
        ? behind
        : new Constraint.Either(
            List.of(Constraint.Sequence.of(new Constraint.Text(THINKING), behind), messages));
  }

  private static Constraint messages(Constraint wanted, List<Tool> tools) {
    return switch (wanted) {
      case Constraint.ToolCalls asked when asked.required() ->
          MarkedFormat.anyOf(
              tools.stream()
                  .filter(tool -> asked.function().map(tool.name()::equals).orElse(true))
                  .toList(),
              HarmonyCalls::call);
      case Constraint.ToolCalls asked ->
          new Constraint.Either(
              List.of(
                  messages(
                      new Constraint.ToolCalls(true, asked.function(), asked.parallel()), tools),
                  messages(new Constraint.None(), tools)));
      case Constraint.Either(var options) ->
          new Constraint.Either(options.stream().map(each -> messages(each, tools)).toList());
      default -> Constraint.Sequence.of(new Constraint.Text(FINAL), wanted);
    };
  }

  private static Constraint call(Tool tool) {
    return Constraint.Sequence.of(
        new Constraint.Text(header(tool.name())), ToolSchema.of(tool).json());
  }

  /** The text of a message to a function. */
  private static final class CallMessage implements PartReader {
    private final String function;
    private final Calls calls;
    private final Scan scan = new Scan();
    private final Step arguments = JsonValueStep.arguments();
    private boolean begun;
    private boolean done;

    CallMessage(String function, Calls calls) {
      this.function = function;
      this.calls = calls;
    }

    @Override
    public void feed(String text, Parts out) {
      scan.add(text);
      read(out);
    }

    @Override
    public void finish(boolean cut, Parts out) {
      scan.end();
      read(out);
    }

    private void read(Parts out) {
      calls.to(out);
      if (!begun) {
        calls.start(function, Optional.empty());
        begun = true;
      }
      if (!done && arguments.read(scan, calls) == Step.Result.DONE) {
        calls.end();
        done = true;
      }
      scan.forget(scan.position());
    }
  }
}
