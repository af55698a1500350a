package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.parts.PartReader;
import dev.vllmmlx.text.parts.Parts;
import dev.vllmmlx.text.parts.Scan;
import java.util.List;
import java.util.function.Supplier;

/**
 * Finds calls in text. What is around them is content, but for white space between calls and after
 * the last one.
 *
 * <p>Text that begins as a call and turns out to be none is content, its mark included. Once a call
 * has begun for certain (its function is declared and its arguments begin) it stays one: text that
 * does not fit then follows as content, and the call has no end.
 */
final class CallReader implements PartReader {

  private enum State {
    /** Where an answer begins, so that a call needs no mark. */
    START,
    TEXT,
    CALL,
    /** After a call. */
    BETWEEN
  }

  private final List<String> marks;
  private final List<String> bareMarks;
  private final Supplier<Step> steps;
  private final Calls calls;
  private final Scan scan = new Scan();
  private State state = State.START;
  private Step call;
  private boolean bare; // Whether the call began without a mark of its own.
  private int certain; // What is before this position is read for good.
  private int begun; // How many calls had begun when this one's mark was found.

  /**
   * @param marks each of them begins calls wherever it stands
   * @param bareMarks each of them may begin calls where the answer begins, or after a call
   * @param steps reads calls from their mark on, the mark included
   */
  CallReader(List<String> marks, List<String> bareMarks, List<Tool> tools, Supplier<Step> steps) {
    this.marks = marks;
    this.bareMarks = bareMarks;
    this.steps = steps;
    this.calls = new Calls(tools);
  }

  @Override
  public void feed(String text, Parts out) {
    scan.add(text);
    run(out);
    scan.forget(certain);
  }

  @Override
  public void finish(boolean cut, Parts out) {
    var calling = state == State.CALL && (!bare || calls.count() > 0);
    if (cut && (calling || state == State.BETWEEN)) {
      return; // The beginning of a call is no use to anybody.
    }
    scan.end();
    run(out);
  }

  private void run(Parts out) {
    calls.to(out);
    while (step(out)) {}
  }

  /** Whether it got any further. */
  private boolean step(Parts out) {
    return switch (state) {
      case START -> start(out);
      case TEXT -> text(out);
      case CALL -> call(out);
      case BETWEEN -> between();
    };
  }

  private boolean start(Parts out) {
    out.content(scan.take(scan.spaceAhead()));
    certain = scan.position();
    return !scan.isEmpty() && atCall(true, State.TEXT);
  }

  private boolean text(Parts out) {
    out.content(scan.takeUntil(marks));
    certain = scan.position();
    return !scan.isEmpty() && atCall(false, State.TEXT);
  }

  private boolean between() {
    scan.skipSpace();
    if (scan.isEmpty()) {
      return false;
    }
    if (atCall(true, State.TEXT)) {
      if (state == State.TEXT) {
        scan.goTo(certain);
      }
      return true;
    }
    return false;
  }

  /** Whether it is known if a call begins here; the state is then the one to go on in. */
  private boolean atCall(boolean bareToo, State otherwise) {
    bare = scan.atAnyOf(marks) == null;
    if (!bare || (bareToo && scan.atAnyOf(bareMarks) != null)) {
      call = steps.get();
      begun = calls.count();
      state = State.CALL;
      return true;
    }
    if (scan.mayBeAtAnyOf(marks) || (bareToo && scan.mayBeAtAnyOf(bareMarks))) {
      return false;
    }
    state = otherwise;
    return true;
  }

  private boolean call(Parts out) {
    var result = call.read(scan, calls);
    if (calls.count() > begun) {
      certain = scan.position();
    }
    switch (result) {
      case MORE -> {
        return false;
      }
      case DONE -> {
        certain = scan.position();
        state = State.BETWEEN;
      }
      case FAILED -> {
        if (calls.count() == begun) {
          scan.goTo(certain);
          out.content(scan.take(1));
        }
        calls.abandon();
        certain = scan.position();
        state = State.TEXT;
      }
    }
    return true;
  }
}
