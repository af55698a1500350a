package dev.vllmmlx.text.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds the blocks of a template, nested ones too. */
final class Blocks {
  private Blocks() {}

  static Map<String, Statement.Block> in(List<Statement> template) {
    var blocks = new HashMap<String, Statement.Block>();
    collect(template, blocks);
    return Map.copyOf(blocks);
  }

  private static void collect(List<Statement> statements, Map<String, Statement.Block> blocks) {
    for (var statement : statements) {
      switch (statement) {
        case Statement.Block s -> {
          blocks.put(s.name(), s);
          collect(s.body(), blocks);
        }
        case Statement.If s -> {
          collect(s.then(), blocks);
          s.elifs().forEach(elif -> collect(elif.body(), blocks));
          collect(s.otherwise(), blocks);
        }
        case Statement.For s -> {
          collect(s.body(), blocks);
          collect(s.otherwise(), blocks);
        }
        case Statement.SetBlock s -> collect(s.body(), blocks);
        case Statement.With s -> collect(s.body(), blocks);
        case Statement.FilterBlock s -> collect(s.body(), blocks);
        case Statement.Autoescape s -> collect(s.body(), blocks);
        case Statement.Macro s -> collect(s.body().body(), blocks);
        case Statement.CallBlock s -> collect(s.body().body(), blocks);
        case Statement.Generation s -> collect(s.body().body(), blocks);
        default -> {}
      }
    }
  }
}
