package dev.vllmmlx.text.grammar;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Measures what constraints cost: {@code main} with a folder that has a tokenizer.json, or with
 * nothing for the default model. Every schema of {@link Schemas} is compiled afresh many times, and
 * each of its instances is walked through with a mask before each token. A figure is the best of
 * all rounds at one place, and percentiles are of places: what others do on the machine meanwhile
 * does not count.
 */
final class GrammarSpeed {
  private static final int ROUNDS = 60;

  private GrammarSpeed() {}

  public static void main(String... arguments) {
    var tokenizer =
        arguments.length == 0 ? Vocabularies.smolLm() : Tokenizer.fromFolder(Path.of(arguments[0]));
    var start = System.nanoTime();
    try (var compiler = ConstraintCompiler.of(tokenizer)) {
      System.out.printf(
          "%d tokens, set up in %.0f ms%n",
          tokenizer.vocabularySize(), (System.nanoTime() - start) / 1e6);
      var compile = new Best();
      var copy = new Best();
      var mask = new Best();
      var forced = new Best();
      var accept = new Best();
      for (var round = 0; round < ROUNDS; round++) {
        for (var best : List.of(compile, copy, mask, forced, accept)) {
          best.restart();
        }
        for (var schema : Schemas.ALL) {
          // A comment makes it another constraint, which the cache does not have.
          var text = schema.schema().strip();
          var fresh =
              text.startsWith("{")
                  ? "{\"$comment\":\"%d\",%s".formatted(round, text.substring(1))
                  : text + " ".repeat(round);
          var constraint = new Constraint.JsonSchema(fresh, true);
          compile.add(millis(() -> compiler.compile(constraint).close()));
          copy.add(1000 * millis(() -> compiler.compile(constraint).close()));
          for (var instance : schema.instances()) {
            walk(tokenizer, compiler.compile(constraint), instance, mask, forced, accept);
          }
        }
      }
      compile.print("compile, ms");
      copy.print("compiled before, us");
      mask.print("mask, us");
      forced.print("forced, us");
      accept.print("accept, us");
    }
  }

  private static void walk(
      Tokenizer tokenizer,
      ConstraintMatcher matcher,
      String text,
      Best mask,
      Best forced,
      Best accept) {
    try (matcher;
        var arena = Arena.ofConfined()) {
      var bits = arena.allocate(ValueLayout.JAVA_INT, (tokenizer.vocabularySize() + 31) / 32);
      for (var token : tokenizer.encode(text, false)) {
        mask.add(1000 * millis(() -> matcher.mask(bits)));
        forced.add(1000 * millis(() -> matcher.forced()));
        accept.add(1000 * millis(() -> matcher.accept(token)));
      }
    }
  }

  private static double millis(Runnable work) {
    var start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e6;
  }

  /** What each place took at best, in the order in which each round comes to them. */
  private static final class Best {
    private final List<Double> figures = new ArrayList<>();
    private int place;

    void restart() {
      place = 0;
    }

    void add(double figure) {
      if (place == figures.size()) {
        figures.add(figure);
      } else {
        figures.set(place, Math.min(figure, figures.get(place)));
      }
      place++;
    }

    void print(String what) {
      Collections.sort(figures);
      var line = new StringBuilder("%-22s %6d places".formatted(what, figures.size()));
      for (var percent : new double[] {50, 90, 99, 100}) {
        var at = Math.min(figures.size() - 1, (int) (figures.size() * percent / 100));
        line.append("   p%.0f %9.3f".formatted(percent, figures.get(at)));
      }
      System.out.println(line);
    }
  }
}
