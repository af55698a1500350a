package dev.vllmmlx.text.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The sets of characters of grammar theory (nullable, first, follow) for a GBNF grammar, and what
 * could continue a text of a regular part.
 */
final class GbnfSets {
  private static final int MOST_POSITIONS = 400;
  private static final int MOST_STATES = 1000;

  private final Map<String, Gbnf> rules;
  private final CharAtoms atoms;
  private final Map<String, Boolean> nullable = new HashMap<>();
  private final Map<String, BitSet> first = new HashMap<>();
  private final Map<String, BitSet> follow = new HashMap<>();
  private final Map<Gbnf, Optional<BitSet>> continued = new HashMap<>();
  private boolean grown;

  GbnfSets(Map<String, Gbnf> rules, CharAtoms atoms, String root) {
    this.rules = rules;
    this.atoms = atoms;
    for (var name : rules.keySet()) {
      nullable.put(name, false);
      first.put(name, new BitSet());
      follow.put(name, new BitSet());
    }
    do {
      grown = false;
      rules.forEach(
          (name, body) -> {
            var before = first.get(name).cardinality();
            first.get(name).or(first(body));
            grown |= first.get(name).cardinality() > before;
            if (!nullable.get(name) && isNullable(body)) {
              nullable.put(name, true);
              grown = true;
            }
          });
    } while (grown);
    do {
      grown = false;
      rules.forEach((name, body) -> addFollow(body, follow.get(name)));
    } while (grown);
  }

  boolean isNullable(Gbnf part) {
    return switch (part) {
      case Gbnf.Chars _, Gbnf.Token _ -> false;
      case Gbnf.Rule(var name) -> nullable.get(name);
      case Gbnf.Sequence(var parts) -> parts.stream().allMatch(this::isNullable);
      case Gbnf.Either(var options) -> options.stream().anyMatch(this::isNullable);
      case Gbnf.Repeat(var item, var min, var _) -> min == 0 || isNullable(item);
    };
  }

  /** The characters that a text of {@code part} may begin with. */
  BitSet first(Gbnf part) {
    var set = new BitSet();
    switch (part) {
      case Gbnf.Chars chars -> set.or(atoms.of(chars));
      case Gbnf.Token _ -> {}
      case Gbnf.Rule(var name) -> set.or(first.get(name));
      case Gbnf.Sequence(var parts) -> {
        for (var each : parts) {
          set.or(first(each));
          if (!isNullable(each)) {
            break;
          }
        }
      }
      case Gbnf.Either(var options) -> options.forEach(each -> set.or(first(each)));
      case Gbnf.Repeat(var item, var _, var _) -> set.or(first(item));
    }
    return set;
  }

  /** The characters that may follow a rule anywhere. */
  BitSet follow(String name) {
    return follow.get(name);
  }

  private void addFollow(Gbnf part, BitSet behind) {
    switch (part) {
      case Gbnf.Chars _, Gbnf.Token _ -> {}
      case Gbnf.Rule(var name) -> {
        var set = follow.get(name);
        var before = set.cardinality();
        set.or(behind);
        grown |= set.cardinality() > before;
      }
      case Gbnf.Sequence(var parts) -> {
        var next = (BitSet) behind.clone();
        for (var each : parts.reversed()) {
          addFollow(each, next);
          if (!isNullable(each)) {
            next = new BitSet();
          }
          next.or(first(each));
        }
      }
      case Gbnf.Either(var options) -> options.forEach(each -> addFollow(each, behind));
      case Gbnf.Repeat(var item, var _, var max) -> {
        var next = (BitSet) behind.clone();
        if (max != 1) {
          next.or(first(item));
        }
        addFollow(item, next);
      }
    }
  }

  /**
   * The characters that can continue some whole text of a regular part; empty where it is too large
   * to tell. Found on its automaton: positions (Glushkov's), and sets of these.
   */
  Optional<BitSet> canTake(Gbnf part) {
    var known = continued.get(part);
    if (known == null) {
      known = Optional.ofNullable(new Automaton().canTake(part));
      continued.put(part, known);
    }
    return known;
  }

  private final class Automaton {
    private final List<BitSet> chars = new ArrayList<>();
    private final List<BitSet> next = new ArrayList<>();

    /** A part's positions: those it begins and ends with, and whether it may be empty. */
    private record Piece(BitSet begin, BitSet end, boolean nullable) {}

    BitSet canTake(Gbnf part) {
      var piece = build(part);
      if (piece == null) {
        return null;
      }
      var more = new BitSet();
      if (piece.nullable()) {
        positions(piece.begin()).forEach(more::or);
      }
      var seen = new HashSet<BitSet>();
      var open = new ArrayDeque<BitSet>(steps(piece.begin()));
      while (!open.isEmpty()) {
        var state = open.poll();
        if (!seen.add(state)) {
          continue;
        }
        if (seen.size() > MOST_STATES) {
          return null;
        }
        var targets = new BitSet();
        state.stream().forEach(position -> targets.or(next.get(position)));
        if (state.intersects(piece.end())) {
          positions(targets).forEach(more::or);
        }
        open.addAll(steps(targets));
      }
      return more;
    }

    private List<BitSet> positions(BitSet set) {
      return set.stream().mapToObj(chars::get).toList();
    }

    /** The states that each character leads to, of these positions. */
    private List<BitSet> steps(BitSet targets) {
      var byAtom = new HashMap<Integer, BitSet>();
      targets.stream()
          .forEach(
              position ->
                  chars.get(position).stream()
                      .forEach(
                          atom -> byAtom.computeIfAbsent(atom, _ -> new BitSet()).set(position)));
      return List.copyOf(new HashSet<>(byAtom.values()));
    }

    private Piece build(Gbnf part) {
      return switch (part) {
        case Gbnf.Chars set -> position(atoms.of(set));
        case Gbnf.Token _ -> null;
        case Gbnf.Rule(var name) -> build(rules.get(name));
        case Gbnf.Sequence(var parts) -> {
          var whole = new Piece(new BitSet(), new BitSet(), true);
          for (var each : parts) {
            whole = then(whole, build(each));
          }
          yield whole;
        }
        case Gbnf.Either(var options) -> {
          var whole = build(options.getFirst());
          for (var each : options.subList(1, options.size())) {
            whole = or(whole, build(each));
          }
          yield whole;
        }
        case Gbnf.Repeat(var item, var min, var max) -> repeat(item, min, max);
      };
    }

    private Piece position(BitSet set) {
      if (chars.size() >= MOST_POSITIONS) {
        return null;
      }
      var position = new BitSet();
      position.set(chars.size());
      chars.add(set);
      next.add(new BitSet());
      return new Piece(position, position, false);
    }

    private Piece then(Piece one, Piece other) {
      if (one == null || other == null) {
        return null;
      }
      one.end().stream().forEach(position -> next.get(position).or(other.begin()));
      return new Piece(
          one.nullable() ? union(one.begin(), other.begin()) : one.begin(),
          other.nullable() ? union(one.end(), other.end()) : other.end(),
          one.nullable() && other.nullable());
    }

    private Piece or(Piece one, Piece other) {
      return one == null || other == null
          ? null
          : new Piece(
              union(one.begin(), other.begin()),
              union(one.end(), other.end()),
              one.nullable() || other.nullable());
    }

    private Piece repeat(Gbnf item, int min, int max) {
      var whole = new Piece(new BitSet(), new BitSet(), true);
      var copies = max < 0 ? Math.max(1, min) : max;
      for (var i = 0; i < copies; i++) {
        var each = build(item);
        if (each == null) {
          return null;
        }
        if (i == copies - 1 && max < 0) {
          each.end().stream().forEach(position -> next.get(position).or(each.begin()));
        }
        whole = then(whole, new Piece(each.begin(), each.end(), each.nullable() || i >= min));
        if (whole == null) {
          return null;
        }
      }
      return whole;
    }

    private static BitSet union(BitSet one, BitSet other) {
      var union = (BitSet) one.clone();
      union.or(other);
      return union;
    }
  }
}
