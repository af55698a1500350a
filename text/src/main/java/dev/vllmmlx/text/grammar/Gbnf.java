package dev.vllmmlx.text.grammar;

import java.util.List;

/** What a GBNF grammar is made of. */
sealed interface Gbnf {

  /** One character of some ranges. */
  record Chars(List<Range> ranges) implements Gbnf {
    public Chars {
      ranges = List.copyOf(ranges);
    }

    static Chars of(int codePoint) {
      return new Chars(List.of(new Range(codePoint, codePoint)));
    }
  }

  /** Code points, both ends included. */
  record Range(int from, int to) {}

  /** A token of the vocabulary, as it is written: {@code <[7]>} or {@code <name>}. */
  record Token(String written) implements Gbnf {}

  /** Another rule. */
  record Rule(String name) implements Gbnf {}

  /** One behind the other; none is the empty text. */
  record Sequence(List<Gbnf> parts) implements Gbnf {
    public Sequence {
      parts = List.copyOf(parts);
    }
  }

  /** Any one; at least one. */
  record Either(List<Gbnf> options) implements Gbnf {
    public Either {
      options = List.copyOf(options);
    }
  }

  /**
   * @param max -1 for any number
   */
  record Repeat(Gbnf item, int min, int max) implements Gbnf {}
}
