package dev.vllmmlx.text.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The variables of one frame, found before rendering. Jinja decides at compile time where a name
 * lives, which is why a {@code set} inside a loop does not leak and why reading a name before it is
 * set finds the outer one. Filled once by {@link ScopeAnalyzer}, then only read.
 */
final class Scope {
  /** How a variable gets its value when its frame is entered. */
  enum Origin {
    /** Given by the construct: loop targets, macro parameters. */
    PARAMETER,
    /** Looked up in the context. */
    CONTEXT,
    /** Copied from the enclosing frame. */
    OUTER,
    /** Nothing yet: it is set before it is read. */
    NOTHING
  }

  /** What the statements of a frame do with a name, in the order of the text. */
  private static final class Use {
    boolean parameter;
    boolean stored;
    boolean storedFirst;
  }

  private final Map<String, Use> uses = new LinkedHashMap<>();
  private Map<String, Origin> origins = Map.of();
  private Scope parent;

  void parameter(String name) {
    uses.computeIfAbsent(name, _ -> new Use()).parameter = true;
  }

  void load(String name) {
    uses.computeIfAbsent(name, _ -> new Use());
  }

  /** {@code conditional}: inside an {@code if}, where it may not happen. */
  void store(String name, boolean conditional) {
    var use = uses.get(name);
    if (use == null) {
      use = new Use();
      use.storedFirst = !conditional;
      uses.put(name, use);
    }
    use.stored = true;
  }

  /** Ends the collecting; {@code enclosing} is finished already, or null for a root. */
  void finish(Scope enclosing) {
    parent = enclosing;
    var found = new LinkedHashMap<String, Origin>();
    uses.forEach(
        (name, use) -> {
          boolean outer = enclosing != null && enclosing.knows(name);
          if (use.parameter) {
            found.put(name, Origin.PARAMETER);
          } else if (use.stored && outer) {
            found.put(name, Origin.OUTER);
          } else if (!outer) {
            found.put(name, use.storedFirst ? Origin.NOTHING : Origin.CONTEXT);
          }
        });
    origins = found;
    uses.clear();
  }

  private boolean knows(String name) {
    return origins.containsKey(name) || parent != null && parent.knows(name);
  }

  Map<String, Origin> origins() {
    return origins;
  }
}
