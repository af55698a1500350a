package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.parts.PartReader;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * A format whose calls stand behind an opening text, at the answer's end: behind a call comes
 * another one or nothing.
 */
abstract class MarkedFormat implements ToolCallFormat {
  private final String name;
  private final List<String> openings;

  /**
   * @param openings each begins calls wherever it stands; the first is what a required call begins
   *     with, where there are no bare ones
   */
  MarkedFormat(String name, List<String> openings) {
    this.name = name;
    this.openings = List.copyOf(openings);
  }

  /**
   * What begins calls only where the answer begins, and a required call; none is the beginning of
   * another.
   *
   * @param tools what may be called
   */
  List<String> bareOpenings(List<Tool> tools) {
    return List.of();
  }

  /** Reads calls from their opening on, the opening included. */
  abstract Step calls();

  /** What follows an opening, to the answer's end. */
  abstract Constraint behind(String opening, List<Tool> tools, boolean parallel);

  /** Marks besides the openings. */
  List<String> otherMarks() {
    return List.of();
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final Set<String> marks() {
    var marks = new LinkedHashSet<>(openings);
    marks.addAll(otherMarks());
    return marks;
  }

  @Override
  public final PartReader reader(List<Tool> tools) {
    return new CallReader(openings, bareOpenings(tools), tools, this::calls);
  }

  @Override
  public final Constraint constraint(List<Tool> tools, Constraint.ToolCalls wanted) {
    var callable =
        wanted
            .function()
            .map(function -> tools.stream().filter(t -> t.name().equals(function)).toList())
            .orElse(tools);
    var bareOpenings = bareOpenings(callable);
    if (wanted.required()) {
      var first = bareOpenings.isEmpty() ? openings.subList(0, 1) : bareOpenings;
      return either(first.stream().map(o -> opened(o, callable, wanted)).toList());
    }
    if (bareOpenings.isEmpty()) {
      return new Constraint.Triggered(
          openings.stream()
              .map(o -> new Constraint.Trigger(o, behind(o, callable, wanted.parallel())))
              .toList(),
          1);
    }
    var all = new ArrayList<>(bareOpenings);
    all.addAll(openings);
    var options = new ArrayList<Constraint>();
    all.forEach(opening -> options.add(opened(opening, callable, wanted)));
    options.add(new Constraint.Regex(notBeginningWith(all)));
    return new Constraint.Either(options);
  }

  private Constraint opened(String opening, List<Tool> tools, Constraint.ToolCalls wanted) {
    return Constraint.Sequence.of(
        new Constraint.Text(opening), behind(opening, tools, wanted.parallel()));
  }

  /** Each tool's call, as one of the options. */
  static Constraint anyOf(List<Tool> tools, Function<Tool, Constraint> call) {
    return either(tools.stream().map(call).toList());
  }

  private static Constraint either(List<Constraint> options) {
    return options.size() == 1 ? options.getFirst() : new Constraint.Either(options);
  }

  /** {@code call}, and if several may follow each other, more of them behind {@code between}. */
  static Constraint several(Constraint call, Constraint between, boolean parallel) {
    return parallel
        ? Constraint.Sequence.of(
            call, new Constraint.Repeat(Constraint.Sequence.of(between, call), 0, -1))
        : call;
  }

  /** A regular expression of texts that do not begin with any of {@code texts}, after space. */
  static String notBeginningWith(List<String> texts) {
    return "[ \\n\\t\\r]*(?:" + otherThan(texts, 0, true) + ")?";
  }

  /** How a text may go on that has {@code depth} characters of all of {@code texts}. */
  private static String otherThan(List<String> texts, int depth, boolean first) {
    var nexts = new LinkedHashSet<Character>();
    for (var text : texts) {
      nexts.add(text.charAt(depth));
    }
    var set = new StringBuilder(first ? "[^ \\n\\t\\r" : "[^");
    nexts.forEach(c -> set.append(inSet(c)));
    var options = new ArrayList<String>();
    options.add(set + "](?s:.*)");
    for (char c : nexts) {
      var longer =
          texts.stream().filter(t -> t.charAt(depth) == c && t.length() > depth + 1).toList();
      boolean ended = texts.stream().anyMatch(t -> t.charAt(depth) == c && t.length() == depth + 1);
      if (!ended) {
        options.add("[" + inSet(c) + "](?:" + otherThan(longer, depth + 1, false) + ")?");
      }
    }
    return String.join("|", options);
  }

  private static String inSet(char c) {
    return "\\[]^-".indexOf(c) >= 0 ? "\\" + c : String.valueOf(c);
  }
}
