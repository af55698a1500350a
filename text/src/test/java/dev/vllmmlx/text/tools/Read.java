package dev.vllmmlx.text.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.text.parts.Part;
import dev.vllmmlx.text.parts.PartReader;
import dev.vllmmlx.text.parts.Parts;
import java.util.ArrayList;
import java.util.List;

/**
 * What a reader made of an answer: its content and its calls, in the order of the text.
 *
 * @param whole whether every call has its end
 */
public record Read(String content, List<Call> calls, boolean whole) {

  /** A call with its arguments' text. */
  public record Call(String name, String arguments) {}

  /** Reads pieces that follow each other. */
  public static Read of(PartReader reader, boolean cut, List<String> pieces) {
    var out = new Parts();
    var parts = new ArrayList<Part>();
    for (var piece : pieces) {
      reader.feed(piece, out);
      parts.addAll(out.take());
    }
    reader.finish(cut, out);
    parts.addAll(out.take());
    return of(parts);
  }

  private static Read of(List<Part> parts) {
    var content = new StringBuilder();
    var names = new ArrayList<String>();
    var arguments = new ArrayList<StringBuilder>();
    int ended = 0;
    for (var part : parts) {
      switch (part) {
        case Part.Content(var text) -> content.append(text);
        case Part.Reasoning(var text) -> throw new AssertionError("no thinking here: " + text);
        case Part.ToolCallStart(var index, var name, var _) -> {
          assertThat(index).isEqualTo(names.size());
          names.add(name);
          arguments.add(new StringBuilder());
        }
        case Part.ToolCallArguments(var index, var delta) -> {
          assertThat(index).isEqualTo(names.size() - 1);
          arguments.get(index).append(delta);
        }
        case Part.ToolCallEnd(var index) -> {
          assertThat(index).isEqualTo(names.size() - 1);
          ended++;
        }
      }
    }
    var calls = new ArrayList<Call>();
    for (int i = 0; i < names.size(); i++) {
      calls.add(new Call(names.get(i), arguments.get(i).toString()));
    }
    return new Read(content.toString(), calls, ended == calls.size());
  }
}
