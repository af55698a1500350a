package dev.vllmmlx.spi;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What the text of an answer must be. An engine keeps it token by token or refuses the request with
 * {@link EngineException.InvalidRequest}; it never ignores one.
 */
public sealed interface Constraint {

  /** Anything. */
  record None() implements Constraint {}

  /** The space that JSON may have between its tokens. */
  enum JsonWhitespace {
    /** None. */
    COMPACT,
    /**
     * At most one space, or a line feed and at most 20 spaces of indent: what people and models
     * write, and no way to go on with it for ever.
     */
    BOUNDED
  }

  /** Any JSON object. */
  record JsonObject(JsonWhitespace whitespace) implements Constraint {
    public JsonObject {
      Objects.requireNonNull(whitespace);
    }

    public JsonObject() {
      this(JsonWhitespace.BOUNDED);
    }
  }

  /**
   * JSON that a schema admits, its properties in the schema's order.
   *
   * @param schema a JSON Schema as JSON text
   * @param strict whether a keyword that cannot be kept is refused; else it is left to a check of
   *     the finished text
   */
  record JsonSchema(String schema, boolean strict, JsonWhitespace whitespace)
      implements Constraint {
    public JsonSchema {
      Objects.requireNonNull(schema);
      Objects.requireNonNull(whitespace);
    }

    public JsonSchema(String schema, boolean strict) {
      this(schema, strict, JsonWhitespace.BOUNDED);
    }
  }

  /** Text that a regular expression matches as a whole. */
  record Regex(String pattern) implements Constraint {
    public Regex {
      Objects.requireNonNull(pattern);
    }
  }

  /** One of these texts. */
  record Choice(List<String> texts) implements Constraint {
    public Choice {
      texts = List.copyOf(texts);
    }
  }

  /** Text that a context-free grammar derives, in the notation of Lark or of GBNF. */
  record Grammar(String grammar) implements Constraint {
    public Grammar {
      Objects.requireNonNull(grammar);
    }
  }

  /**
   * This text. A special token of the model that is written in it is that token, as it is in a
   * prompt.
   */
  record Text(String text) implements Constraint {
    public Text {
      Objects.requireNonNull(text);
    }
  }

  /** What each part admits, one behind the other. */
  record Sequence(List<Constraint> parts) implements Constraint {
    public Sequence {
      parts = List.copyOf(parts);
    }

    public static Sequence of(Constraint... parts) {
      return new Sequence(List.of(parts));
    }
  }

  /** What any of the options admits; there is at least one. */
  record Either(List<Constraint> options) implements Constraint {
    public Either {
      options = List.copyOf(options);
    }
  }

  /**
   * What {@code item} admits, several times.
   *
   * @param min the fewest times, 0 or more
   * @param max the most times, or -1 for any number
   */
  record Repeat(Constraint item, int min, int max) implements Constraint {
    public Repeat {
      Objects.requireNonNull(item);
      if (min < 0 || max < -1 || (max >= 0 && max < min)) {
        throw new IllegalArgumentException("no number of times: %d to %d".formatted(min, max));
      }
    }
  }

  /**
   * Any text that ends with {@code end}, and has it nowhere before. A special token of the model
   * that is written in it is that token.
   */
  record Until(String end) implements Constraint {
    public Until {
      if (end.isEmpty()) {
        throw new IllegalArgumentException("an end is not empty");
      }
    }
  }

  /**
   * Any text, in which each trigger is followed by what belongs to it, and that by any text again.
   *
   * @param triggers at least one
   * @param max how often a trigger may occur, or -1 for any number; the text ends behind the last
   */
  record Triggered(List<Trigger> triggers, int max) implements Constraint {
    public Triggered {
      triggers = List.copyOf(triggers);
      if (triggers.isEmpty() || max == 0 || max < -1) {
        throw new IllegalArgumentException("no trigger may ever occur");
      }
    }
  }

  /**
   * A text and what must follow it.
   *
   * @param opening not empty; a special token of the model that is written in it is that token
   */
  record Trigger(String opening, Constraint then) {
    public Trigger {
      Objects.requireNonNull(then);
      if (opening.isEmpty()) {
        throw new IllegalArgumentException("an opening is not empty");
      }
    }
  }

  /**
   * Calls of the prompt's tools, in the model's own format.
   *
   * @param required whether the answer must be a call
   * @param function the one function that may be called, where only one may
   * @param parallel whether several calls may follow each other
   */
  record ToolCalls(boolean required, Optional<String> function, boolean parallel)
      implements Constraint {
    public ToolCalls {
      Objects.requireNonNull(function);
    }
  }
}
