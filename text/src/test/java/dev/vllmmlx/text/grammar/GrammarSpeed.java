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
 * each of its instances is walked through with a mask before each token.
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
      var compile = new ArrayList<Double>();
      var copy = new ArrayList<Double>();
      var mask = new ArrayList<Double>();
      var forced = new ArrayList<Double>();
      var accept = new ArrayList<Double>();
      for (var round = 0; round < ROUNDS; round++) {
        if (round == ROUNDS / 3) { // what came before warmed up
          for (var figures : List.of(compile, copy, mask, forced, accept)) {
            figures.clear();
          }
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
      print("compile, ms", compile);
      print("compiled before, us", copy);
      print("mask, us", mask);
      print("forced, us", forced);
      print("accept, us", accept);
    }
  }

  private static void walk(
      Tokenizer tokenizer,
      ConstraintMatcher matcher,
      String text,
      List<Double> mask,
      List<Double> forced,
      List<Double> accept) {
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

  private static void print(String what, List<Double> figures) {
    Collections.sort(figures);
    var percents = new double[] {50, 90, 99, 100};
    var line = new StringBuilder("%-22s %7d times".formatted(what, figures.size()));
    for (var percent : percents) {
      var at = Math.min(figures.size() - 1, (int) (figures.size() * percent / 100));
      line.append("   p%.0f %9.3f".formatted(percent, figures.get(at)));
    }
    System.out.println(line);
  }
}
