package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.parts.Part;
import dev.vllmmlx.text.parts.Parts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The calls of one answer as they are read. */
final class Calls {
  private final Map<String, Tool> tools = new LinkedHashMap<>();
  private Parts out;
  private int count;
  private boolean open;

  Calls(List<Tool> tools) {
    tools.forEach(tool -> this.tools.put(tool.name(), tool));
  }

  /** From now on parts go there. */
  void to(Parts out) {
    this.out = out;
  }

  boolean isDeclared(String name) {
    return tools.containsKey(name);
  }

  Tool tool(String name) {
    return tools.get(name);
  }

  /** How many have begun. */
  int count() {
    return count;
  }

  /** Whether one has begun and not ended. */
  boolean isOpen() {
    return open;
  }

  void start(String name, Optional<String> id) {
    out.add(new Part.ToolCallStart(count++, name, id));
    open = true;
  }

  void arguments(CharSequence delta) {
    out.arguments(count - 1, delta);
  }

  void end() {
    out.add(new Part.ToolCallEnd(count - 1));
    open = false;
  }

  /** Leaves the call as it is. */
  void abandon() {
    open = false;
  }
}
