package dev.vllmmlx.text.grammar;

final class GbnfGrammar {
  private GbnfGrammar() {}

  static boolean isGbnf(String g) {
    return g.contains("::=");
  }

  static String toLark(String g) {
    throw new ConstraintException.Invalid("gbnf is to come");
  }
}
