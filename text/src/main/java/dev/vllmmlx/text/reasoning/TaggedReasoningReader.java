package dev.vllmmlx.text.reasoning;

import dev.vllmmlx.text.parts.PartReader;
import dev.vllmmlx.text.parts.Parts;
import dev.vllmmlx.text.parts.Scan;
import dev.vllmmlx.text.parts.Scan.Match;
import java.util.ArrayList;
import java.util.List;

/** Splits thinking off the front of an answer. */
final class TaggedReasoningReader implements PartReader {
  private static final int LINE_FEEDS_AFTER = 2;

  private enum State {
    /** Perhaps white space, then perhaps an opening mark. */
    START,
    /** Right behind the opening mark. */
    OPENED,
    THINKING,
    /** Right behind the closing mark. */
    CLOSED,
    /** Where a mark may open the answer. */
    ANSWER_START,
    ANSWER
  }

  private final TaggedReasoning format;
  private final PartReader answer;
  private final List<String> ends; // Closing marks, with and without the line feed that is theirs.
  private final Scan scan = new Scan();
  private State state;
  private int lineFeeds;

  TaggedReasoningReader(TaggedReasoning format, boolean open, PartReader answer) {
    this.format = format;
    this.answer = answer;
    this.state = open ? State.OPENED : State.START;
    this.ends = new ArrayList<>(format.closes());
    format.closes().forEach(close -> ends.add("\n" + close));
  }

  @Override
  public void feed(String text, Parts out) {
    scan.add(text);
    while (step(out)) {}
    scan.forget(scan.position());
  }

  @Override
  public void finish(boolean cut, Parts out) {
    scan.end();
    while (step(out)) {}
    answer.finish(cut, out);
  }

  /** Whether it got any further. */
  private boolean step(Parts out) {
    return switch (state) {
      case START -> start();
      case OPENED -> opened();
      case THINKING -> thinking(out);
      case CLOSED -> closed();
      case ANSWER_START -> answerStart();
      case ANSWER -> answer(out);
    };
  }

  private boolean start() {
    return atOneOf(format.opens(), State.OPENED, State.ANSWER_START);
  }

  private boolean answerStart() {
    return atOneOf(format.answerOpens(), State.ANSWER, State.ANSWER);
  }

  /** Takes white space and a mark, if a mark is there. */
  private boolean atOneOf(List<String> marks, State taken, State otherwise) {
    int space = scan.spaceAhead();
    var unknown = false;
    for (var mark : marks) {
      var match = scan.at(mark, space);
      if (match == Match.YES) {
        scan.take(space + mark.length());
        state = taken;
        return true;
      }
      unknown |= match == Match.UNKNOWN;
    }
    if (!unknown) {
      state = otherwise;
    }
    return !unknown;
  }

  private boolean opened() {
    switch (scan.at("\n")) {
      case UNKNOWN -> {
        return false;
      }
      case YES -> {
        // It may be the one before the closing mark, which is right behind.
        if (scan.mayBeAtAnyOf(ends)) {
          return false;
        }
        if (scan.atAnyOf(ends) == null) {
          scan.take();
        }
      }
      case NO -> {}
    }
    state = State.THINKING;
    return true;
  }

  private boolean thinking(Parts out) {
    out.reasoning(scan.takeUntil(ends));
    var end = scan.atAnyOf(ends);
    if (end == null) {
      return false;
    }
    scan.take(end.length());
    state = State.CLOSED;
    return true;
  }

  private boolean closed() {
    while (lineFeeds < LINE_FEEDS_AFTER && !scan.isEmpty() && scan.peek() == '\n') {
      scan.take();
      lineFeeds++;
    }
    if (scan.isEmpty() && lineFeeds < LINE_FEEDS_AFTER) {
      return false;
    }
    state = State.ANSWER_START;
    return true;
  }

  private boolean answer(Parts out) {
    answer.feed(scan.takeUntil(format.answerCloses()), out);
    var close = scan.atAnyOf(format.answerCloses());
    if (close == null) {
      return false;
    }
    int space = scan.spaceAhead(close.length());
    if (close.length() + space < scan.available()) {
      answer.feed(scan.take(close.length()), out);
      return true;
    }
    if (scan.hasEnded()) {
      scan.take(scan.available());
    }
    return false;
  }
}
