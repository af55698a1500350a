package dev.vllmmlx.text.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.text.parts.Part;
import dev.vllmmlx.text.parts.PartReader;
import dev.vllmmlx.text.parts.Parts;
import java.util.ArrayList;
import java.util.List;

/**
 * What a reader made of an answer: its thinking, its content and its calls, each in the order of
 * the text.
 *
 * @param whole whether every call has its end
 */
public record Read(String reasoning, String content, List<Call> calls, boolean whole) {

  /** An answer without thinking. */
  public Read(String content, List<Call> calls, boolean whole) {
    this("", content, calls, whole);
  }

  /** A call with its arguments' text. */
  public record Call(String name, String arguments) {}

  /** Reads pieces that follow each other, in which nothing is thinking. */
  public static Read of(PartReader reader, boolean cut, List<String> pieces) {
    var read = withThinking(reader, cut, pieces);
    assertThat(read.reasoning()).as("no thinking here").isEmpty();
    return read;
  }

  /** Reads pieces that follow each other. */
  public static Read withThinking(PartReader reader, boolean cut, List<String> pieces) {
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
    var reasoning = new StringBuilder();
    var content = new StringBuilder();
    var names = new ArrayList<String>();
    var arguments = new ArrayList<StringBuilder>();
    int ended = 0;
    for (var part : parts) {
      switch (part) {
        case Part.Content(var text) -> content.append(text);
        case Part.Reasoning(var text) -> reasoning.append(text);
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
    return new Read(reasoning.toString(), content.toString(), calls, ended == calls.size());
  }
}
