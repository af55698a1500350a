package dev.vllmmlx.text.grammar;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Rewrites llama.cpp's GBNF in Lark.
 *
 * <p>GBNF knows characters only, Lark knows terminals, and a terminal takes as much as it can.
 * Masks over terminals are far quicker. So what is regular (leads to no rule that leads back to
 * itself) becomes a terminal, where that changes nothing: where no character that may follow it
 * could also continue it. Elsewhere it stays a rule, of smaller parts, down to single characters.
 * What is derived is never more than the grammar derives.
 */
final class GbnfGrammar {
  private static final Pattern DEFINITION =
      Pattern.compile("^[ \\t]*[A-Za-z][\\w-]*[ \\t]*::=", Pattern.MULTILINE);

  private final Map<String, Gbnf> rules;
  private final CharAtoms atoms;
  private final Set<String> recursive = new HashSet<>();
  private final GbnfSets sets;

  /** Lark names of what was written, by kind and GBNF name. */
  private final Map<String, String> names = new HashMap<>();

  private final List<String> lines = new ArrayList<>();
  private int numbers;

  private GbnfGrammar(Map<String, Gbnf> rules) {
    this.rules = rules;
    var all = new HashSet<Gbnf.Chars>();
    rules.values().forEach(each -> addChars(each, all));
    this.atoms = new CharAtoms(all);
    new RecursiveRules(rules).addTo(recursive);
    this.sets = new GbnfSets(rules, atoms, "root");
  }

  static boolean isGbnf(String grammar) {
    return DEFINITION.matcher(grammar).find();
  }

  /**
   * @param grammar begins with the rule {@code root}
   */
  static String toLark(String grammar) {
    var rules = new LinkedHashMap<>(GbnfParser.parse(grammar));
    if (!rules.containsKey("root")) {
      throw new ConstraintException.Invalid("the GBNF grammar has no rule 'root'");
    }
    for (var each : rules.values()) {
      for (var name : references(each)) {
        if (!rules.containsKey(name)) {
          throw new ConstraintException.Invalid(
              "the GBNF grammar has no rule '%s'".formatted(name));
        }
      }
    }
    return new GbnfGrammar(rules).write();
  }

  private String write() {
    var start = expression(new Gbnf.Rule("root"), new BitSet());
    lines.addFirst("start: " + start);
    return String.join("\n", lines) + "\n";
  }

  /** A Lark expression for {@code part}, which characters of {@code follow} may follow. */
  private String expression(Gbnf part, BitSet follow) {
    if (!(part instanceof Gbnf.Rule) && isTerminal(part, follow)) {
      return define("part " + part, next("T"), terminal(part));
    }
    return switch (part) {
      case Gbnf.Rule(var name) -> rule(name, follow);
      case Gbnf.Chars chars -> terminal(chars);
      case Gbnf.Token(var written) -> written;
      case Gbnf.Sequence(var parts) -> sequence(parts, follow);
      case Gbnf.Either(var options) ->
          options.stream()
              .map(each -> expression(each, follow))
              .collect(Collectors.joining(" | ", "(", ")"));
      case Gbnf.Repeat(var item, var min, var max) -> {
        var inner = (BitSet) follow.clone();
        if (max != 1) {
          inner.or(sets.first(item));
        }
        yield repeated("(" + expression(item, inner) + ")", min, max);
      }
    };
  }

  private String sequence(List<Gbnf> parts, BitSet follow) {
    var written = new ArrayList<String>();
    for (var i = 0; i < parts.size(); ) {
      // The longest run of parts that can be one terminal.
      var end = parts.size();
      while (end > i + 1
          && !isTerminal(new Gbnf.Sequence(parts.subList(i, end)), behind(parts, end, follow))) {
        end--;
      }
      var run = end == i + 1 ? parts.get(i) : (Gbnf) new Gbnf.Sequence(parts.subList(i, end));
      written.add(expression(run, behind(parts, end, follow)));
      i = end;
    }
    return written.isEmpty() ? "\"\"" : written.stream().collect(Collectors.joining(" ", "(", ")"));
  }

  private BitSet behind(List<Gbnf> parts, int from, BitSet follow) {
    var behind = new BitSet();
    for (var part : parts.subList(from, parts.size())) {
      behind.or(sets.first(part));
      if (!sets.isNullable(part)) {
        return behind;
      }
    }
    behind.or(follow);
    return behind;
  }

  /** A rule is written once, as a terminal or as a rule, for all that may follow it anywhere. */
  private String rule(String name, BitSet follow) {
    if (isTerminal(rules.get(name), follow)) {
      return terminal(new Gbnf.Rule(name));
    }
    var known = names.get("rule " + name);
    if (known != null) {
      return known;
    }
    var lark = next("r");
    names.put("rule " + name, lark);
    lines.add(lark + ": " + expression(rules.get(name), sets.follow(name)));
    return lark;
  }

  private String next(String kind) {
    return kind + numbers++;
  }

  private String define(String key, String lark, String body) {
    names.put(key, lark);
    lines.add(lark + ": " + body);
    return lark;
  }

  private boolean isTerminal(Gbnf part, BitSet follow) {
    return isRegular(part)
        && sets.canTake(part).filter(more -> !more.intersects(follow)).isPresent();
  }

  private boolean isRegular(Gbnf part) {
    return switch (part) {
      case Gbnf.Chars _ -> true;
      case Gbnf.Token _ -> false;
      case Gbnf.Rule(var name) -> !recursive.contains(name) && isRegular(rules.get(name));
      case Gbnf.Sequence(var parts) -> !parts.isEmpty() && parts.stream().allMatch(this::isRegular);
      case Gbnf.Either(var options) -> options.stream().allMatch(this::isRegular);
      case Gbnf.Repeat(var item, var _, var max) -> max != 0 && isRegular(item);
    };
  }

  /** The body of a terminal. */
  private String terminal(Gbnf part) {
    return switch (part) {
      case Gbnf.Chars(var ranges) -> chars(ranges);
      case Gbnf.Token(var written) -> written;
      case Gbnf.Rule(var name) -> {
        var known = names.get("terminal " + name);
        yield known != null
            ? known
            : define("terminal " + name, next("T"), terminal(rules.get(name)));
      }
      case Gbnf.Sequence(var parts) ->
          parts.isEmpty()
              ? "\"\""
              : parts.stream().map(this::terminal).collect(Collectors.joining(" ", "(", ")"));
      case Gbnf.Either(var options) ->
          options.stream().map(this::terminal).collect(Collectors.joining(" | ", "(", ")"));
      case Gbnf.Repeat(var item, var min, var max) ->
          repeated("(" + terminal(item) + ")", min, max);
    };
  }

  private static String repeated(String item, int min, int max) {
    if (max == 0) {
      return "\"\"";
    }
    return item + (max < 0 ? "{" + min + ",}" : "{" + min + "," + max + "}");
  }

  private static String chars(List<Gbnf.Range> ranges) {
    if (ranges.isEmpty()) {
      throw new ConstraintException.Invalid(
          "the GBNF grammar has a character class that no character is of");
    }
    return ranges.stream()
        .map(
            range ->
                range.from() == range.to()
                    ? "\\x{%X}".formatted(range.from())
                    : "\\x{%X}-\\x{%X}".formatted(range.from(), range.to()))
        .collect(Collectors.joining("", "/[", "]/"));
  }

  private static void addChars(Gbnf part, Set<Gbnf.Chars> all) {
    switch (part) {
      case Gbnf.Chars chars -> all.add(chars);
      case Gbnf.Token _, Gbnf.Rule _ -> {}
      case Gbnf.Sequence(var parts) -> parts.forEach(each -> addChars(each, all));
      case Gbnf.Either(var options) -> options.forEach(each -> addChars(each, all));
      case Gbnf.Repeat(var item, var _, var _) -> addChars(item, all);
    }
  }

  /** The rules that {@code part} names. */
  static Set<String> references(Gbnf part) {
    return switch (part) {
      case Gbnf.Chars _, Gbnf.Token _ -> Set.of();
      case Gbnf.Rule(var name) -> Set.of(name);
      case Gbnf.Sequence(var parts) -> references(parts);
      case Gbnf.Either(var options) -> references(options);
      case Gbnf.Repeat(var item, var _, var _) -> references(item);
    };
  }

  private static Set<String> references(List<Gbnf> parts) {
    return parts.stream().flatMap(each -> references(each).stream()).collect(Collectors.toSet());
  }

  /** Which rules lead back to themselves. */
  private record RecursiveRules(Map<String, Gbnf> rules) {
    void addTo(Set<String> found) {
      var reach = new HashMap<String, Set<String>>();
      rules.forEach((name, body) -> reach.put(name, new HashSet<>(references(body))));
      for (var grown = true; grown; ) {
        grown = false;
        for (var reached : reach.values()) {
          var more = new HashSet<String>();
          reached.forEach(each -> more.addAll(reach.get(each)));
          grown |= reached.addAll(more);
        }
      }
      reach.forEach(
          (name, reached) -> {
            if (reached.contains(name)) {
              found.add(name);
            }
          });
    }
  }
}
