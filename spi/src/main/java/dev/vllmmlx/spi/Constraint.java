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

  /** Any JSON object. */
  record JsonObject() implements Constraint {}

  /**
   * JSON that a schema admits.
   *
   * @param schema a JSON Schema as JSON text
   * @param strict whether a keyword that cannot be kept is refused
   */
  record JsonSchema(String schema, boolean strict) implements Constraint {
    public JsonSchema {
      Objects.requireNonNull(schema);
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
