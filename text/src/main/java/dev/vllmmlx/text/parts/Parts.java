package dev.vllmmlx.text.parts;

import dev.vllmmlx.text.parts.Part.Content;
import dev.vllmmlx.text.parts.Part.Reasoning;
import dev.vllmmlx.text.parts.Part.ToolCallArguments;
import java.util.ArrayList;
import java.util.List;

/** Parts as they are read; neighbours that belong together become one. Not for several threads. */
public final class Parts {
  private final List<Part> parts = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();
  private Part open; // The kind of what is in text; null where there is none.

  /** Whether there are none since the last call of {@link #take}. */
  public boolean isEmpty() {
    return open == null && parts.isEmpty();
  }

  /** All parts since the last call. */
  public List<Part> take() {
    var taken = peek();
    parts.clear();
    return taken;
  }

  /** What {@link #take} would give, which still will. */
  public List<Part> peek() {
    close();
    return List.copyOf(parts);
  }

  /**
   * @param more text to be added, which may be empty
   */
  public void content(CharSequence more) {
    if (!more.isEmpty()) {
      if (!(open instanceof Content)) {
        open(new Content(""));
      }
      text.append(more);
    }
  }

  /**
   * @param more text to be added, which may be empty
   */
  public void reasoning(CharSequence more) {
    if (!more.isEmpty()) {
      if (!(open instanceof Reasoning)) {
        open(new Reasoning(""));
      }
      text.append(more);
    }
  }

  /**
   * @param more text to be added, which may be empty
   */
  public void arguments(int index, CharSequence more) {
    if (!more.isEmpty()) {
      if (!(open instanceof ToolCallArguments(var of, _) && of == index)) {
        open(new ToolCallArguments(index, ""));
      }
      text.append(more);
    }
  }

  /** Adds a part as it is. */
  public void add(Part part) {
    close();
    parts.add(part);
  }

  private void open(Part kind) {
    close();
    open = kind;
  }

  private void close() {
    if (open != null) {
      parts.add(
          switch (open) {
            case Content _ -> new Content(text.toString());
            case Reasoning _ -> new Reasoning(text.toString());
            case ToolCallArguments(var index, _) -> new ToolCallArguments(index, text.toString());
            case Part.ToolCallStart _, Part.ToolCallEnd _ -> throw new AssertionError(open);
          });
      text.setLength(0);
      open = null;
    }
  }
}
