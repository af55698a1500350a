package dev.vllmmlx.text.reasoning;

import dev.vllmmlx.text.parts.PartReader;
import dev.vllmmlx.text.parts.Parts;
import dev.vllmmlx.text.parts.Scan;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Reads harmony's messages: {@code <|start|>assistant<|channel|>final<|message|>text<|end|>}, where
 * the prompt has the first {@code <|start|>assistant}. A header may name a recipient, before or
 * after the channel, and the type of the text: {@code <|channel|>commentary to=functions.f
 * <|constrain|>json<|message|>}.
 */
public final class HarmonyReader implements PartReader {
  static final Set<String> MARKS =
      Set.of(
          "<|start|>",
          "<|channel|>",
          "<|constrain|>",
          "<|message|>",
          "<|end|>",
          "<|call|>",
          "<|return|>");

  private static final String START = "<|start|>";
  private static final String CHANNEL = "<|channel|>";
  private static final String MESSAGE = "<|message|>";
  private static final String RECIPIENT = " to=";
  private static final List<String> HEADER_BEGINNINGS =
      List.of(START, CHANNEL, MESSAGE, RECIPIENT, "<|constrain|>");
  private static final List<String> TEXT_ENDS =
      List.of("<|end|>", "<|call|>", "<|return|>", START, CHANNEL);
  private static final int LONGEST_HEADER = 300;

  private enum State {
    /** Where a header may begin. */
    START,
    HEADER,
    TEXT,
    /** Between messages. */
    BETWEEN
  }

  private final PartReader content;
  private final Function<String, Optional<PartReader>> recipients;
  private final Scan scan = new Scan();
  private State state;
  private PartReader message;

  /**
   * @param open whether the answer begins inside of thinking
   * @param content reads what is for the reader
   * @param recipients reads a message to a recipient; empty where none is known by this name
   */
  public HarmonyReader(
      boolean open, PartReader content, Function<String, Optional<PartReader>> recipients) {
    this.content = content;
    this.recipients = recipients;
    this.state = open ? State.TEXT : State.START;
    this.message = open ? THINKING : content;
  }

  @Override
  public void feed(String text, Parts out) {
    scan.add(text);
    while (step(out)) {}
    scan.forget(scan.position());
  }

  @Override
  public void finish(boolean cut, Parts out) {
    if (!cut || state != State.BETWEEN) { // else it was cut in a header's first mark
      scan.end();
      while (step(out)) {}
    }
    // What is left is a header without its message.
    leaveMessage(cut, out);
    content.finish(cut, out);
  }

  private boolean step(Parts out) {
    return switch (state) {
      case START -> start();
      case HEADER -> header(out);
      case TEXT -> text(out);
      case BETWEEN -> between();
    };
  }

  private boolean start() {
    if (scan.isEmpty() || scan.mayBeAtAnyOf(HEADER_BEGINNINGS)) {
      return false;
    }
    state = scan.atAnyOf(HEADER_BEGINNINGS) == null ? State.TEXT : State.HEADER;
    return true;
  }

  private boolean header(Parts out) {
    int from = scan.position();
    var header = scan.takeUntil(List.of(MESSAGE));
    if (scan.atAnyOf(List.of(MESSAGE)) != null) {
      scan.take(MESSAGE.length());
      message = reader(header);
      state = State.TEXT;
      return true;
    }
    if (header.length() > LONGEST_HEADER) {
      content.feed(header, out);
      message = content;
      state = State.TEXT;
      return true;
    }
    scan.goTo(from);
    return false;
  }

  private PartReader reader(String header) {
    var recipient = wordAfter(header, RECIPIENT).flatMap(recipients);
    return recipient.orElseGet(
        () -> wordAfter(header, CHANNEL).equals(Optional.of("analysis")) ? THINKING : content);
  }

  private static Optional<String> wordAfter(String header, String mark) {
    int at = header.indexOf(mark);
    if (at < 0) {
      return Optional.empty();
    }
    int from = at + mark.length();
    int end = from;
    while (end < header.length() && header.charAt(end) != '<' && header.charAt(end) > ' ') {
      end++;
    }
    return Optional.of(header.substring(from, end));
  }

  private boolean text(Parts out) {
    message.feed(scan.takeUntil(TEXT_ENDS), out);
    var end = scan.atAnyOf(TEXT_ENDS);
    if (end == null) {
      return false;
    }
    leaveMessage(false, out);
    if (end.equals(START) || end.equals(CHANNEL)) {
      state = State.HEADER;
    } else {
      scan.take(end.length());
      state = State.BETWEEN;
    }
    return true;
  }

  private boolean between() {
    scan.skipSpace();
    if (scan.isEmpty() || scan.mayBeAtAnyOf(HEADER_BEGINNINGS)) {
      return false;
    }
    state = State.START;
    return true;
  }

  private void leaveMessage(boolean cut, Parts out) {
    if (message != content) {
      message.finish(cut, out);
      message = content;
    }
  }

  private static final PartReader THINKING =
      new PartReader() {
        @Override
        public void feed(String text, Parts out) {
          out.reasoning(text);
        }

        @Override
        public void finish(boolean cut, Parts out) {}
      };
}
