package dev.vllmmlx.text.grammar;

import java.util.BitSet;
import java.util.Collection;
import java.util.TreeSet;

/**
 * Sets of characters as sets of small numbers: all characters that a grammar never tells apart are
 * one.
 */
final class CharAtoms {
  private final int[] starts;

  CharAtoms(Collection<Gbnf.Chars> sets) {
    var boundaries = new TreeSet<Integer>();
    boundaries.add(0);
    for (var set : sets) {
      for (var range : set.ranges()) {
        boundaries.add(range.from());
        boundaries.add(range.to() + 1);
      }
    }
    this.starts = boundaries.stream().mapToInt(Integer::intValue).toArray();
  }

  BitSet of(Gbnf.Chars set) {
    var atoms = new BitSet();
    for (var range : set.ranges()) {
      for (var i = 0; i < starts.length; i++) {
        if (starts[i] >= range.from() && starts[i] <= range.to()) {
          atoms.set(i);
        }
      }
    }
    return atoms;
  }
}
