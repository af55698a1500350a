package dev.vllmmlx.text.tools;

import dev.vllmmlx.text.parts.Scan;
import dev.vllmmlx.text.parts.Scan.Match;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads the arguments that stand between tags, and hands them on as one JSON object. Texts are
 * handed on as they come; other values are short, and handed on when they are whole.
 */
final class TaggedCallStep implements Step {
  private static final JsonMapper JSON = JsonMapper.shared();

  private enum State {
    NAME,
    /** A key, or the end. */
    KEY,
    BEFORE_VALUE,
    TEXT,
    OTHER,
    END
  }

  private final TaggedCalls.Tags tags;
  private final Step head;
  private final Step end;
  private State state = State.NAME;
  private String function;
  private ToolSchema schema;
  private Map<String, Map<String, Object>> properties = Map.of();
  private String key;
  private int count;
  private String held = ""; // White space that may belong to the closing tag.

  TaggedCallStep(TaggedCalls.Tags tags) {
    this.tags = tags;
    this.head =
        Steps.sequence(
            Steps.literal(tags.beforeName()),
            Steps.header(tags.afterName(), this::named, Optional.empty()));
    this.end = closing(tags.end());
  }

  private Optional<String> named(String name) {
    function = name;
    return Optional.of(name);
  }

  /** The tags of an end, with any space between them. */
  private static Step closing(String marks) {
    var lines = marks.split("\n");
    return lines.length == 1
        ? Steps.closing(lines[0])
        : Steps.sequence(Steps.closing(lines[0]), Steps.closing(lines[1]));
  }

  @Override
  public Result read(Scan in, Calls calls) {
    while (true) {
      switch (state) {
        case NAME -> {
          var result = head.read(in, calls);
          if (result != Result.DONE) {
            return result;
          }
          schema = ToolSchema.of(calls.tool(function));
          properties = schema.properties();
          calls.arguments("{");
          state = State.KEY;
        }
        case KEY -> {
          in.skipSpace();
          if (in.isEmpty() && !in.hasEnded()) {
            return Result.MORE;
          }
          switch (in.at(tags.beforeKey())) {
            case UNKNOWN -> {
              return Result.MORE;
            }
            case NO -> state = State.END;
            case YES -> {
              if (!key(in)) {
                return Step.missing(in);
              }
              state = State.BEFORE_VALUE;
            }
          }
        }
        case BEFORE_VALUE -> {
          if (!beforeValue(in)) {
            return Step.missing(in);
          }
          var property = property();
          calls.arguments((count++ == 0 ? "" : ", ") + JSON.writeValueAsString(key) + ": ");
          if (ToolSchema.isText(property)) {
            calls.arguments("\"");
            state = State.TEXT;
          } else {
            state = State.OTHER;
          }
        }
        case TEXT -> {
          if (!text(in, calls)) {
            return Step.missing(in);
          }
          calls.arguments("\"");
          state = State.KEY;
        }
        case OTHER -> {
          int from = in.position();
          var text = in.takeUntil(List.of(tags.afterValue()));
          if (in.at(tags.afterValue()) != Match.YES) {
            in.goTo(from);
            return Step.missing(in);
          }
          in.take(tags.afterValue().length());
          var value = TaggedCalls.parsed(text);
          calls.arguments(
              value != null && !value.isMissingNode()
                  ? text.strip()
                  : JSON.writeValueAsString(text.strip()));
          state = State.KEY;
        }
        case END -> {
          var result = end.read(in, calls);
          if (result == Result.DONE) {
            calls.arguments("}");
            calls.end();
          }
          return result;
        }
      }
    }
  }

  private Map<String, Object> property() {
    var declared = properties.get(key);
    return declared == null ? schema.others().orElse(Map.of()) : declared;
  }

  /** Whether there was all of it. */
  private boolean key(Scan in) {
    int from = in.position();
    in.take(tags.beforeKey().length());
    var name = in.takeUntil(List.of(tags.afterKey()));
    if (in.at(tags.afterKey()) != Match.YES) {
      in.goTo(from);
      return false;
    }
    in.take(tags.afterKey().length());
    key = name.strip();
    return true;
  }

  private boolean beforeValue(Scan in) {
    if (tags.beforeValue().isEmpty()) {
      // One line feed belongs to the tag.
      if (in.isEmpty()) {
        return false;
      }
      if (in.peek() == '\n') {
        in.take();
      }
      return true;
    }
    int space = in.spaceAhead();
    if (in.at(tags.beforeValue(), space) != Match.YES) {
      return false;
    }
    in.take(space + tags.beforeValue().length());
    return true;
  }

  private boolean text(Scan in, Calls calls) {
    var text = held + in.takeUntil(List.of(tags.afterValue()));
    held = "";
    boolean closed = in.at(tags.afterValue()) == Match.YES;
    if (closed) {
      in.take(tags.afterValue().length());
    }
    if (!tags.space().isEmpty() && text.endsWith(tags.space())) {
      text = text.substring(0, text.length() - tags.space().length());
      held = closed ? "" : tags.space();
    }
    var quoted = JSON.writeValueAsString(text);
    calls.arguments(quoted.substring(1, quoted.length() - 1));
    return closed;
  }
}
