package dev.vllmmlx.text.tools;

import dev.vllmmlx.text.parts.Scan.Match;
import dev.vllmmlx.text.tools.Step.Result;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** The steps that formats are composed of. */
final class Steps {
  private static final int LONGEST_HEADER = 200;

  private Steps() {}

  /** One after the other. */
  static Step sequence(Step... steps) {
    var next = List.of(steps).iterator();
    var current = new Step[] {next.next()};
    return (in, calls) -> {
      while (true) {
        var result = current[0].read(in, calls);
        if (result != Result.DONE) {
          return result;
        }
        if (!next.hasNext()) {
          return Result.DONE;
        }
        current[0] = next.next();
      }
    };
  }

  static Step literal(String text) {
    return (in, _) ->
        switch (in.at(text)) {
          case YES -> {
            in.take(text.length());
            yield Result.DONE;
          }
          case NO -> Result.FAILED;
          case UNKNOWN -> Result.MORE;
        };
  }

  /** Any white space, or none. */
  static Step space() {
    return (in, _) -> {
      in.skipSpace();
      return in.isEmpty() && !in.hasEnded() ? Result.MORE : Result.DONE;
    };
  }

  /**
   * A mark that ends a call, with white space before it. Missing at the text's end, it is no loss.
   */
  static Step closing(String mark) {
    return sequence(
        space(), (in, calls) -> in.isEmpty() ? Result.DONE : literal(mark).read(in, calls));
  }

  /**
   * A step if the text goes on with a mark, after white space; else nothing, the space included.
   */
  static Step optional(String mark, Supplier<Step> step) {
    return choice(Map.of(mark, step), () -> (_, _) -> Result.DONE);
  }

  /** A mark, or nothing. */
  static Step optional(String mark) {
    return optional(mark, () -> (_, _) -> Result.DONE);
  }

  /**
   * The step of the mark that the text goes on with after white space, or another step.
   *
   * @param marks none the beginning of another; the step reads what follows the mark
   * @param otherwise reads from before the white space
   */
  static Step choice(Map<String, Supplier<Step>> marks, Supplier<Step> otherwise) {
    var chosen = new Step[1];
    return (in, calls) -> {
      if (chosen[0] == null) {
        int space = in.spaceAhead();
        for (var mark : marks.entrySet()) {
          var match = in.at(mark.getKey(), space);
          if (match == Match.UNKNOWN) {
            return Result.MORE;
          }
          if (match == Match.YES) {
            in.take(space + mark.getKey().length());
            chosen[0] = mark.getValue().get();
            break;
          }
        }
        if (chosen[0] == null) {
          chosen[0] = otherwise.get();
        }
      }
      return chosen[0].read(in, calls);
    };
  }

  /**
   * What begins a call: text up to a mark, which says what is called.
   *
   * @param name the function's name in that text; empty where there is none
   * @param idPrefix what makes the text an id by which the model knows the call, where it is one
   */
  static Step header(
      String mark, Function<String, Optional<String>> name, Optional<String> idPrefix) {
    return (in, calls) -> {
      int from = in.position();
      var header = in.takeUntil(List.of(mark));
      if (in.at(mark) != Match.YES) {
        in.goTo(from);
        return header.length() > LONGEST_HEADER ? Result.FAILED : Step.missing(in);
      }
      in.take(mark.length());
      var function = name.apply(header.strip()).filter(calls::isDeclared);
      if (function.isEmpty()) {
        return Result.FAILED;
      }
      calls.start(function.get(), idPrefix.map(prefix -> prefix + header.strip()));
      return Result.DONE;
    };
  }

  /** {@code item}, and as many more as {@code separator} comes before, with white space around. */
  static Step separated(Supplier<Step> item, String separator) {
    return sequence(space(), item.get(), optional(separator, () -> separated(item, separator)));
  }
}
