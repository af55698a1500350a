package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.text.parts.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** An answer as it goes out, kept to be checked when it is whole. For one answer and thread. */
final class Checked {
  private final AnswerCheck check;
  private final StringBuilder content = new StringBuilder();
  private final List<Called> calls = new ArrayList<>();

  private record Called(String function, StringBuilder arguments) {}

  Checked(AnswerCheck check) {
    this.check = check;
  }

  boolean isNeeded() {
    return check.isNeeded();
  }

  void add(List<Part> parts) {
    if (!check.isNeeded()) {
      return;
    }
    for (var part : parts) {
      switch (part) {
        case Part.Content(var text) -> content.append(text);
        case Part.ToolCallStart(var _, var name, var _) ->
            calls.add(new Called(name, new StringBuilder()));
        case Part.ToolCallArguments(var index, var delta) ->
            calls.get(index).arguments().append(delta);
        case Part.Reasoning _, Part.ToolCallEnd _ -> {}
      }
    }
  }

  /**
   * To be asked when nothing more will come, and the model itself has ended. It may take a while,
   * and not on an event loop.
   */
  List<AnswerCheck.Warning> warnings() {
    var ofCalls =
        IntStream.range(0, calls.size())
            .boxed()
            .flatMap(
                index -> {
                  var call = calls.get(index);
                  return check.arguments(index, call.function(), call.arguments().toString());
                });
    // Beside calls, text is what the model says of them.
    var ofContent =
        calls.isEmpty() ? check.content(content.toString()) : Stream.<AnswerCheck.Warning>empty();
    return Stream.concat(ofCalls, ofContent).toList();
  }
}
