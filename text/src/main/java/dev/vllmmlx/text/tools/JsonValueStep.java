package dev.vllmmlx.text.tools;

import dev.vllmmlx.text.parts.Scan;
import java.util.function.Consumer;

/**
 * Reads one JSON value and hands it on as it comes, byte for byte. Does not check what is inside.
 */
final class JsonValueStep implements Step {
  private final boolean onlyObject;
  private final Consumer<CharSequence> sink;
  private boolean begun;
  private boolean bare; // A number or a word, which ends before what cannot belong to it.
  private int depth;
  private boolean inText;
  private boolean escaped;

  /**
   * @param onlyObject whether nothing but an object will do
   * @param sink takes the value's text in pieces
   */
  JsonValueStep(boolean onlyObject, Consumer<CharSequence> sink) {
    this.onlyObject = onlyObject;
    this.sink = sink;
  }

  /** An object, as the arguments of the call that is open. */
  static Step arguments() {
    return new Arguments();
  }

  private static final class Arguments implements Step {
    private JsonValueStep value;

    @Override
    public Result read(Scan in, Calls calls) {
      if (value == null) {
        value = new JsonValueStep(true, calls::arguments);
      }
      return value.read(in, calls);
    }
  }

  @Override
  public Result read(Scan in, Calls calls) {
    if (!begun) {
      in.skipSpace();
      if (in.isEmpty()) {
        return Step.missing(in);
      }
      if (onlyObject && in.peek() != '{') {
        return Result.FAILED;
      }
      begun = true;
      bare = in.peek() != '{' && in.peek() != '[' && in.peek() != '"';
    }
    var piece = new StringBuilder();
    var result = bare ? word(in, piece) : nested(in, piece);
    if (!piece.isEmpty()) {
      sink.accept(piece);
    }
    return result;
  }

  private static Result word(Scan in, StringBuilder piece) {
    while (!in.isEmpty()) {
      char c = in.peek();
      if (Scan.isSpace(c) || c == ',' || c == '}' || c == ']') {
        return Result.DONE;
      }
      piece.append(in.take());
    }
    return Step.missing(in);
  }

  private Result nested(Scan in, StringBuilder piece) {
    while (!in.isEmpty()) {
      char c = in.take();
      piece.append(c);
      if (inText) {
        inText = escaped || c != '"';
        escaped = !escaped && c == '\\';
      } else {
        switch (c) {
          case '"' -> inText = true;
          case '{', '[' -> depth++;
          case '}', ']' -> depth--;
          default -> {}
        }
      }
      if (!inText && depth == 0) {
        return Result.DONE;
      }
    }
    return Step.missing(in);
  }
}
