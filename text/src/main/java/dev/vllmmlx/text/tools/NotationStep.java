package dev.vllmmlx.text.tools;

import dev.vllmmlx.text.parts.Scan;
import dev.vllmmlx.text.parts.Scan.Match;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads the arguments of a call in a {@link Notation} and hands them on as one JSON object: texts
 * as they come, other values when they are whole. Begins behind what opens the arguments.
 */
final class NotationStep implements Step {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Pattern NUMBER =
      Pattern.compile("-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][-+]?[0-9]+)?");
  private static final int LONGEST_KEY = 200;

  private enum State {
    /** A key, or the end of an object. */
    KEY,
    COLON,
    /** A value, or the end of a list. */
    VALUE,
    TEXT,
    /** A comma or the end. */
    NEXT
  }

  /** What is open: an object, or a list, whose keys end with nothing. */
  private record Open(boolean object, boolean bareKeys, char close, String keyEnd) {}

  private final Notation notation;
  private final Deque<Open> open = new ArrayDeque<>();
  private State state = State.KEY;
  private boolean begun;
  private boolean first = true; // Nothing stands before the next item.
  private boolean key; // The text under way is a key.
  private String quote;

  /**
   * @param close ends the arguments
   * @param keyEnd stands behind an argument's name, which has no quotes
   */
  NotationStep(Notation notation, char close, String keyEnd) {
    this.notation = notation;
    open.push(new Open(true, true, close, keyEnd));
  }

  @Override
  public Result read(Scan in, Calls calls) {
    if (!begun) {
      calls.arguments("{");
      begun = true;
    }
    while (!open.isEmpty()) {
      if (state == State.TEXT) {
        if (!text(in, calls)) {
          return Step.missing(in);
        }
        continue;
      }
      in.skipSpace();
      if (in.isEmpty()) {
        return Step.missing(in);
      }
      var result =
          switch (state) {
            case KEY -> key(in, calls);
            case COLON -> colon(in, calls);
            case VALUE -> value(in, calls);
            case NEXT -> next(in, calls);
            case TEXT -> throw new AssertionError();
          };
      if (result != Result.DONE) {
        return result;
      }
    }
    return Result.DONE;
  }

  private Result key(Scan in, Calls calls) {
    var object = open.peek();
    if (in.peek() == object.close()) {
      return closed(in, calls);
    }
    switch (quoteAhead(in)) {
      case UNKNOWN -> {
        return Result.MORE;
      }
      case YES -> {
        separate(calls);
        beginText(in, calls, true);
        return Result.DONE;
      }
      case NO -> {}
    }
    if (!object.bareKeys()) {
      return Result.FAILED;
    }
    int from = in.position();
    var name = in.takeUntil(List.of(object.keyEnd()));
    if (in.isEmpty()) {
      in.goTo(from);
      return name.length() > LONGEST_KEY ? Result.FAILED : Step.missing(in);
    }
    separate(calls);
    calls.arguments(JSON.writeValueAsString(name.strip()));
    state = State.COLON;
    return Result.DONE;
  }

  private Result colon(Scan in, Calls calls) {
    var keyEnd = open.peek().keyEnd();
    if (in.at(keyEnd) != Match.YES) {
      return Result.FAILED;
    }
    in.take(keyEnd.length());
    calls.arguments(": ");
    state = State.VALUE;
    return Result.DONE;
  }

  private Result value(Scan in, Calls calls) {
    var around = open.peek();
    if (!around.object() && in.peek() == around.close()) {
      return closed(in, calls);
    }
    switch (quoteAhead(in)) {
      case UNKNOWN -> {
        return Result.MORE;
      }
      case YES -> {
        separateItem(calls);
        beginText(in, calls, false);
        return Result.DONE;
      }
      case NO -> {}
    }
    char c = in.peek();
    if (c == '[' || c == '(' || c == '{') {
      separateItem(calls);
      in.take();
      open.push(
          c == '{'
              ? new Open(true, notation.bareKeys(), '}', notation.colon().strip())
              : new Open(false, false, c == '[' ? ']' : ')', ""));
      calls.arguments(c == '{' ? "{" : "[");
      first = true;
      state = c == '{' ? State.KEY : State.VALUE;
      return Result.DONE;
    }
    return word(in, calls);
  }

  /** A number, a name for one of JSON's words, or, as models write, a text without quotes. */
  private Result word(Scan in, Calls calls) {
    int length = 0;
    while (length < in.available() && ",]})".indexOf(in.peek(length)) < 0) {
      length++;
    }
    if (length == in.available()) {
      return Step.missing(in);
    }
    if (length == 0) {
      return Result.FAILED;
    }
    separateItem(calls);
    calls.arguments(json(in.take(length).strip()));
    state = State.NEXT;
    return Result.DONE;
  }

  private String json(String word) {
    for (var known : notation.words().entrySet()) {
      if (known.getValue().contains(word)) {
        return known.getKey();
      }
    }
    return NUMBER.matcher(word).matches() ? word : JSON.writeValueAsString(word);
  }

  private Result next(Scan in, Calls calls) {
    var around = open.peek();
    if (in.peek() == around.close()) {
      return closed(in, calls);
    }
    if (in.take() != ',') {
      return Result.FAILED;
    }
    first = false;
    state = around.object() ? State.KEY : State.VALUE;
    return Result.DONE;
  }

  private Result closed(Scan in, Calls calls) {
    in.take();
    calls.arguments(open.pop().object() ? "}" : "]");
    first = false;
    state = State.NEXT;
    return Result.DONE;
  }

  private void separate(Calls calls) {
    if (!first) {
      calls.arguments(", ");
    }
    first = true;
  }

  private void separateItem(Calls calls) {
    if (!open.peek().object()) {
      separate(calls);
    }
  }

  private Match quoteAhead(Scan in) {
    quote = in.atAnyOf(notation.quotes());
    return quote != null
        ? Match.YES
        : in.mayBeAtAnyOf(notation.quotes()) ? Match.UNKNOWN : Match.NO;
  }

  private void beginText(Scan in, Calls calls, boolean asKey) {
    in.take(quote.length());
    calls.arguments("\"");
    key = asKey;
    state = State.TEXT;
  }

  /** Whether the text was there to its end. */
  private boolean text(Scan in, Calls calls) {
    var ends = notation.escapes() ? List.of(quote, "\\") : List.of(quote);
    while (true) {
      var plain = JSON.writeValueAsString(in.takeUntil(ends));
      calls.arguments(plain.substring(1, plain.length() - 1));
      if (in.at(quote) == Match.YES) {
        in.take(quote.length());
        calls.arguments("\"");
        state = key ? State.COLON : State.NEXT;
        return true;
      }
      if (in.isEmpty() || !notation.escapes() || in.peek() != '\\') {
        return false;
      }
      var escape = PythonEscape.at(in);
      if (escape == null) {
        return false;
      }
      in.take(escape.length());
      calls.arguments(escape.json());
    }
  }
}
