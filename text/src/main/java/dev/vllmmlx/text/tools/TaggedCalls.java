package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Calls whose arguments stand between tags one by one, texts as they are and everything else as
 * JSON. So write Qwen3-Coder and GLM 4.5.
 *
 * <pre>{@code
 * <tool_call>
 * <function=f>
 * <parameter=city>
 * Paris
 * </parameter>
 * </function>
 * </tool_call>
 * }</pre>
 */
final class TaggedCalls extends MarkedFormat {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final String OPEN = "<tool_call>";

  /**
   * The tags, without what space they have around them.
   *
   * @param space stands around tags and values where a model writes them
   */
  record Tags(
      String beforeName,
      String afterName,
      String beforeKey,
      String afterKey,
      String beforeValue,
      String afterValue,
      String end,
      String space) {}

  private final Tags tags;
  private final List<String> signs;

  private TaggedCalls(String name, Tags tags, List<String> signs) {
    super(name, List.of(OPEN));
    this.tags = tags;
    this.signs = signs;
  }

  static TaggedCalls qwen3Coder() {
    return new TaggedCalls(
        "qwen3_coder",
        new Tags(
            "<function=",
            ">",
            "<parameter=",
            ">",
            "",
            "</parameter>",
            "</function>\n</tool_call>",
            "\n"),
        List.of("<function=", "<parameter="));
  }

  static TaggedCalls glm() {
    return new TaggedCalls(
        "glm45",
        new Tags(
            "", "\n", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "</tool_call>", ""),
        List.of("<arg_key>", "<arg_value>"));
  }

  @Override
  List<String> otherMarks() {
    return List.of(
            "</tool_call>",
            tags.beforeKey(),
            tags.afterKey(),
            tags.beforeValue(),
            tags.afterValue())
        .stream()
        .filter(mark -> mark.startsWith("<"))
        .toList();
  }

  @Override
  public boolean isIn(String template) {
    return signs.stream().allMatch(template::contains);
  }

  @Override
  public String written(String function, String arguments) {
    var text = new StringBuilder(OPEN + head(function));
    for (var argument : JSON.readTree(arguments).properties()) {
      var value = argument.getValue();
      text.append(key(argument.getKey()))
          .append(value.isString() ? value.stringValue() : value.toString())
          .append(afterValue());
    }
    return text.append(tags.end()).toString();
  }

  private String head(String function) {
    return tags.space() + tags.beforeName() + function + tags.afterName() + tags.space();
  }

  private String key(String name) {
    return tags.beforeKey() + name + behindKey();
  }

  private String behindKey() {
    return tags.afterKey()
        + (tags.beforeValue().isEmpty() ? "" : "\n" + tags.beforeValue())
        + tags.space();
  }

  private String afterValue() {
    return tags.space() + tags.afterValue() + "\n";
  }

  @Override
  Step calls() {
    return Steps.sequence(Steps.literal(OPEN), Steps.space(), new TaggedCallStep(tags));
  }

  @Override
  Constraint behind(String opening, List<Tool> tools, boolean parallel) {
    var call = anyOf(tools, this::call);
    return parallel
        ? Constraint.Sequence.of(
            call,
            new Constraint.Repeat(
                Constraint.Sequence.of(new Constraint.Text("\n" + OPEN), call), 0, -1))
        : call;
  }

  private Constraint call(Tool tool) {
    var schema = ToolSchema.of(tool);
    check(tool, schema);
    var parts = new ArrayList<Constraint>();
    parts.add(new Constraint.Text(head(tool.name())));
    var properties = schema.properties();
    var required = schema.required();
    properties.forEach(
        (name, property) -> {
          var argument =
              Constraint.Sequence.of(new Constraint.Text(key(name)), value(schema, property));
          parts.add(required.contains(name) ? argument : new Constraint.Repeat(argument, 0, 1));
        });
    if (properties.isEmpty()) {
      schema.others().ifPresent(each -> parts.add(anyArguments(schema, each)));
    }
    parts.add(new Constraint.Text(tags.end()));
    return new Constraint.Sequence(parts);
  }

  /** What a tool that is not strict asks beyond this is looked at when the call is whole. */
  private static void check(Tool tool, ToolSchema schema) {
    var impossible = schema.impossible();
    if (impossible.isPresent()) {
      throw ToolSchema.refusal(tool.name(), impossible.get());
    }
    if (schema.strict() && !schema.unkept().isEmpty()) {
      throw ToolSchema.refusal(
          tool.name(),
          "this model writes arguments one by one, for which %s cannot be kept"
              .formatted(String.join(", ", schema.unkept())));
    }
  }

  private Constraint anyArguments(ToolSchema schema, Map<String, Object> each) {
    var key =
        Constraint.Sequence.of(
            new Constraint.Text(tags.beforeKey()),
            new Constraint.Regex("[A-Za-z_][A-Za-z0-9_.-]{0,63}"),
            new Constraint.Text(behindKey()));
    return new Constraint.Repeat(Constraint.Sequence.of(key, value(schema, each)), 0, -1);
  }

  /** A value with what closes it. */
  private Constraint value(ToolSchema schema, Map<String, Object> property) {
    var close = new Constraint.Text(afterValue());
    if (!ToolSchema.isText(property)) {
      return Constraint.Sequence.of(schema.json(property), close);
    }
    if (property.get("enum") instanceof List<?> texts) {
      return Constraint.Sequence.of(
          new Constraint.Choice(texts.stream().map(String::valueOf).toList()), close);
    }
    // The first closing tag ends a value, whether the space that is the tag's stands there or not.
    return Constraint.Sequence.of(
        new Constraint.Until(tags.afterValue()), new Constraint.Text("\n"));
  }

  /** A value as JSON that is no text, or null where it must be one. */
  static JsonNode parsed(String text) {
    try {
      return JSON.readTree(text);
    } catch (JacksonException e) {
      return null;
    }
  }
}
