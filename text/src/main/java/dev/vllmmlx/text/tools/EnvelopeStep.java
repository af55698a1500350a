package dev.vllmmlx.text.tools;

import dev.vllmmlx.text.parts.Scan;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads {@code {"name": "f", "arguments": {...}}}, its keys in any order and by any of the names
 * that models give them. Where the name comes first, as it should, arguments are handed on as they
 * come.
 */
final class EnvelopeStep implements Step {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Set<String> NAMES = Set.of("name", "tool_name");
  private static final Set<String> ARGUMENTS = Set.of("arguments", "parameters");
  private static final Set<String> IDS = Set.of("id", "tool_call_id");

  private enum State {
    OPEN,
    /** A key, or the end of an object that has none. */
    FIRST,
    KEY,
    COLON,
    VALUE,
    /** A comma or the end. */
    NEXT
  }

  private final boolean modelGivesIds;
  private State state = State.OPEN;
  private String key;
  private String name;
  private String id;
  private boolean begun;
  private Step value;
  private StringBuilder text; // Of a value that is needed as a whole.
  private String earlyArguments; // Came before the name.

  /**
   * @param modelGivesIds whether an id that is read is one that later turns must name
   */
  EnvelopeStep(boolean modelGivesIds) {
    this.modelGivesIds = modelGivesIds;
  }

  @Override
  public Result read(Scan in, Calls calls) {
    while (true) {
      if (value == null) {
        in.skipSpace();
        if (in.isEmpty()) {
          return Step.missing(in);
        }
      }
      switch (state) {
        case OPEN -> {
          if (in.take() != '{') {
            return Result.FAILED;
          }
          state = State.FIRST;
        }
        case FIRST, KEY -> {
          if (value == null && in.peek() != '"') {
            return Result.FAILED; // An empty object names no function.
          }
          var result = whole(in, calls);
          if (result != Result.DONE) {
            return result;
          }
          key = decoded();
          if (key == null) {
            return Result.FAILED;
          }
          state = State.COLON;
        }
        case COLON -> {
          if (in.take() != ':') {
            return Result.FAILED;
          }
          state = State.VALUE;
        }
        case VALUE -> {
          var result = value(in, calls);
          if (result != Result.DONE) {
            return result;
          }
          state = State.NEXT;
        }
        case NEXT -> {
          char c = in.take();
          if (c == '}') {
            return end(calls);
          }
          if (c != ',') {
            return Result.FAILED;
          }
          state = State.KEY;
        }
      }
    }
  }

  private Result value(Scan in, Calls calls) {
    if (ARGUMENTS.contains(key) && earlyArguments == null) {
      return arguments(in, calls);
    }
    var result = whole(in, calls);
    if (result != Result.DONE) {
      return result;
    }
    if (NAMES.contains(key) && name == null) {
      name = decoded();
      return name != null && calls.isDeclared(name) ? Result.DONE : Result.FAILED;
    }
    if (IDS.contains(key)) {
      id = decoded();
    }
    return Result.DONE;
  }

  private Result arguments(Scan in, Calls calls) {
    if (name == null) {
      var result = whole(in, calls);
      if (result == Result.DONE) {
        earlyArguments = text.toString();
        return earlyArguments.startsWith("{") ? Result.DONE : Result.FAILED;
      }
      return result;
    }
    if (value == null) {
      in.skipSpace();
      if (in.peek() != '{' || begun) {
        return Result.FAILED;
      }
      begin(calls);
      value = JsonValueStep.arguments();
    }
    var result = value.read(in, calls);
    if (result == Result.DONE) {
      value = null;
    }
    return result;
  }

  private Result whole(Scan in, Calls calls) {
    if (value == null) {
      text = new StringBuilder();
      value = new JsonValueStep(false, text::append);
    }
    var result = value.read(in, calls);
    if (result == Result.DONE) {
      value = null;
    }
    return result;
  }

  private String decoded() {
    try {
      var node = JSON.readTree(text.toString());
      return node.isString() ? node.stringValue() : null;
    } catch (JacksonException e) {
      return null;
    }
  }

  private void begin(Calls calls) {
    calls.start(name, modelGivesIds ? Optional.ofNullable(id) : Optional.empty());
    begun = true;
  }

  private Result end(Calls calls) {
    if (name == null) {
      return Result.FAILED;
    }
    if (!begun) {
      begin(calls);
      calls.arguments(earlyArguments == null ? "{}" : earlyArguments);
    }
    calls.end();
    return Result.DONE;
  }
}
