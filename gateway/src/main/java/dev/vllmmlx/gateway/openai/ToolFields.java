package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.CallTools;
import dev.vllmmlx.mcp.ToolSession;
import dev.vllmmlx.mcp.tool.McpTool;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Tool;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** The fields {@code tools}, {@code tool_choice} and {@code parallel_tool_calls}. */
record ToolFields(
    List<Tool> tools, Optional<Constraint.ToolCalls> calls, Optional<ToolSession> session) {
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_.-]{1,64}");
  private static final int MOST_TOOLS = 512;

  /** What {@code tool_choice} says. */
  private record Choice(String mode, Optional<String> function, Optional<List<String>> allowed) {}

  /** {@code tools} is empty, and no call asked for, where {@code tool_choice} is none. */
  static ToolFields read(Fields fields, ModelInfo model, McpFields mcp) {
    fields.refuse("functions", "function_call");
    var own = tools(fields);
    var session = mcp.read(fields, model, own);
    var declared = new ArrayList<>(own);
    session.ifPresent(it -> it.tools().forEach(tool -> declared.add(tool.definition())));
    var choice = choice(fields, declared);
    var parallel = fields.flag("parallel_tool_calls", true);
    if (declared.isEmpty() || choice.mode().equals("none")) {
      return new ToolFields(List.of(), Optional.empty(), Optional.empty());
    }
    if (model.template().toolCallFormat().isEmpty()) {
      throw fields.invalid("tools", "cannot be used: this model has no way to write calls");
    }
    var tools =
        choice
            .allowed()
            .map(names -> declared.stream().filter(t -> names.contains(t.name())).toList())
            .orElse(List.copyOf(declared));
    return new ToolFields(
        tools,
        Optional.of(
            new Constraint.ToolCalls(
                choice.mode().equals("required"), choice.function(), parallel)),
        session);
  }

  /**
   * What an answer must be with these tools.
   *
   * @param otherwise what it must be if it is no call
   */
  Constraint constraint(Constraint otherwise) {
    if (calls.isEmpty()) {
      return otherwise;
    }
    return CallTools.either(calls.get(), otherwise);
  }

  /**
   * The tools that are run here, if there are any.
   *
   * @param otherwise as for {@link #constraint}
   */
  Optional<CallTools> runHere(Constraint otherwise) {
    return session
        .filter(it -> it.tools().stream().anyMatch(McpTool::runsUnasked))
        .map(it -> new CallTools(it, otherwise, calls.orElseThrow().parallel()));
  }

  private static List<Tool> tools(Fields fields) {
    var list = fields.list("tools");
    if (list.isEmpty()) {
      return List.of();
    }
    if (list.get().size() > MOST_TOOLS) {
      throw fields.invalid(
          "tools", "holds %d tools, and at most %d work".formatted(list.get().size(), MOST_TOOLS));
    }
    var tools = new ArrayList<Tool>();
    for (var item : list.get()) {
      var tool = tool(fields.inside("tools[" + tools.size() + "]", item));
      if (tools.stream().anyMatch(other -> other.name().equals(tool.name()))) {
        throw fields.invalid("tools", "holds two functions named " + tool.name());
      }
      tools.add(tool);
    }
    return tools;
  }

  private static Tool tool(Fields tool) {
    var type = tool.requiredText("type");
    if (!type.equals("function")) {
      throw tool.invalid(
          "type", "is \"%s\", and this server knows functions alone".formatted(type));
    }
    var function = tool.object("function").orElseThrow(() -> tool.missing("function"));
    tool.accept("cache_control");
    var name = function.requiredText("name");
    if (!NAME.matcher(name).matches()) {
      throw function.invalid("name", "must match " + NAME);
    }
    var parameters =
        function
            .node("parameters")
            .map(
                node -> {
                  if (!node.isObject()) {
                    throw function.wrongType("parameters", "a JSON Schema of an object", node);
                  }
                  if (!node.path("type").asString("object").equals("object")) {
                    throw function.invalid("parameters", "must be the schema of an object");
                  }
                  return JsonValues.object(node);
                });
    return new Tool(name, function.text("description"), parameters, function.flag("strict", false));
  }

  private static Choice choice(Fields fields, List<Tool> tools) {
    var node = fields.node("tool_choice");
    if (node.isEmpty()) {
      return new Choice("auto", Optional.empty(), Optional.empty());
    }
    var choice =
        node.get().isString()
            ? new Choice(node.get().stringValue(), Optional.empty(), Optional.empty())
            : chosen(fields.inside("tool_choice", node.get()));
    if (!List.of("none", "auto", "required").contains(choice.mode())) {
      throw fields.invalid(
          "tool_choice",
          "is \"%s\", and must be none, auto, required or a function".formatted(choice.mode()));
    }
    if (choice.mode().equals("required") && tools.isEmpty()) {
      throw fields.invalid("tool_choice", "asks for a call, and tools are missing");
    }
    var named = new ArrayList<>(choice.allowed().orElse(List.of()));
    choice.function().ifPresent(named::add);
    for (var name : named) {
      if (tools.stream().noneMatch(tool -> tool.name().equals(name))) {
        throw fields.invalid("tool_choice", "names %s, which is not among tools".formatted(name));
      }
    }
    return choice;
  }

  private static Choice chosen(Fields choice) {
    var type = choice.requiredText("type");
    return switch (type) {
      case "function" -> new Choice("required", Optional.of(name(choice)), Optional.empty());
      case "allowed_tools" -> {
        var allowed = choice.object("allowed_tools").orElse(choice);
        var names = new ArrayList<String>();
        for (JsonNode tool : allowed.list("tools").orElseThrow(() -> allowed.missing("tools"))) {
          var fields = allowed.inside("tools[" + names.size() + "]", tool);
          fields.accept("type");
          names.add(name(fields));
        }
        if (names.isEmpty()) {
          throw allowed.invalid("tools", "is empty, and must name at least one tool");
        }
        yield new Choice(allowed.text("mode").orElse("auto"), Optional.empty(), Optional.of(names));
      }
      default ->
          throw choice.invalid(
              "type", "is \"%s\", and must be function or allowed_tools".formatted(type));
    };
  }

  /** {@code {"function": {"name": "f"}}}, or as the newer API has it, {@code {"name": "f"}}. */
  private static String name(Fields fields) {
    return fields
        .object("function")
        .map(function -> function.requiredText("name"))
        .orElseGet(() -> fields.requiredText("name"));
  }
}
