package dev.vllmmlx.text.jinja;

import java.util.HashMap;
import java.util.Map;

/** The variables of one {@link Scope} while it is being rendered. */
final class Frame {
  private final Frame parent;
  private final Context context;
  private final boolean top;
  private final Map<String, Object> variables = new HashMap<>();

  private Frame(Frame parent, Context context, boolean top) {
    this.parent = parent;
    this.context = context;
    this.top = top;
  }

  /** The frame of the template itself or of a block; only the former's variables are exported. */
  static Frame root(Context context, boolean top) {
    return new Frame(null, context, top);
  }

  Frame inner() {
    return new Frame(this, context, false);
  }

  /** Gives each variable of the scope its first value; parameters are set by the caller. */
  void enter(Scope scope) {
    for (var entry : scope.origins().entrySet()) {
      var name = entry.getKey();
      var value =
          switch (entry.getValue()) {
            case PARAMETER, NOTHING -> Missing.VALUE;
            case CONTEXT -> context.get(name);
            case OUTER -> parent.find(name);
          };
      variables.put(name, value);
    }
  }

  private Object find(String name) {
    for (var frame = this; frame != null; frame = frame.parent) {
      var value = frame.variables.get(name);
      if (value != null || frame.variables.containsKey(name)) {
        return value;
      }
    }
    return context.get(name);
  }

  Object get(String name) {
    var value = find(name);
    return value == Missing.VALUE ? Undefined.named(name) : value;
  }

  /** {@link Missing#VALUE} where the variable has no value. */
  Object getOrMissing(String name) {
    return find(name);
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }

  /**
   * Sets a variable as a statement does: at the top of a template, blocks and macros see it too.
   */
  void assign(String name, Object value) {
    variables.put(name, value);
    if (top) {
      context.export(name, value);
    }
  }

  /** What the caller gave, the globals, and what the template set at its top. */
  static final class Context {
    private final Map<String, Object> given;
    private final Map<String, Object> globals;
    private final Map<String, Object> exported = new HashMap<>();

    Context(Map<String, Object> given, Map<String, Object> globals) {
      this.given = given;
      this.globals = globals;
    }

    Object get(String name) {
      var value = from(exported, name);
      if (value == Missing.VALUE) {
        value = from(given, name);
      }
      return value == Missing.VALUE ? from(globals, name) : value;
    }

    private static Object from(Map<String, Object> source, String name) {
      return source.getOrDefault(name, Missing.VALUE);
    }

    private void export(String name, Object value) {
      exported.put(name, value);
    }
  }
}
