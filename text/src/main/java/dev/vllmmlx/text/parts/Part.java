package dev.vllmmlx.text.parts;

import java.util.Objects;
import java.util.Optional;

/**
 * A piece of an answer, in the order of the text. Texts of neighbouring parts of one kind belong
 * together; none is empty.
 */
public sealed interface Part {

  /** What is for the reader of the answer, without any markup. */
  record Content(String text) implements Part {
    public Content {
      Objects.requireNonNull(text);
    }
  }

  /** What the model thought before it answered. */
  record Reasoning(String text) implements Part {
    public Reasoning {
      Objects.requireNonNull(text);
    }
  }

  /**
   * A call begins. Its arguments follow, and its end, before any other call begins.
   *
   * @param index its place among the answer's calls, from 0
   * @param name a declared function
   * @param id the id that the model gave the call, in formats where it does; later turns must name
   *     the call by it
   */
  record ToolCallStart(int index, String name, Optional<String> id) implements Part {
    public ToolCallStart {
      Objects.requireNonNull(name);
      Objects.requireNonNull(id);
    }
  }

  /**
   * More of a call's arguments.
   *
   * @param delta JSON text; all of a call's deltas joined are its arguments
   */
  record ToolCallArguments(int index, String delta) implements Part {
    public ToolCallArguments {
      Objects.requireNonNull(delta);
    }
  }

  /**
   * The arguments are whole. A call without this was cut, and its arguments may be half an object.
   */
  record ToolCallEnd(int index) implements Part {}
}
