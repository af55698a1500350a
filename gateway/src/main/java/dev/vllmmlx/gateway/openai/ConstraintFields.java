package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Constraint.JsonWhitespace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The fields that say what an answer must be: OpenAI's {@code response_format}, vLLM's {@code
 * structured_outputs} and {@code guided_*}, llama.cpp's {@code grammar} and {@code json_schema}. At
 * most one of them may be given.
 */
final class ConstraintFields {

  /**
   * @param field the one that asks for it
   */
  record Wanted(Constraint constraint, String field) {}

  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Wanted NOTHING = new Wanted(new Constraint.None(), "");

  private final Fields fields;
  private final List<Wanted> found = new ArrayList<>();

  private ConstraintFields(Fields fields) {
    this.fields = fields;
  }

  static Wanted read(Fields fields) {
    return new ConstraintFields(fields).read();
  }

  private Wanted read() {
    fields.object("response_format").flatMap(this::responseFormat).ifPresent(this::found);
    fields.object("structured_outputs").ifPresent(this::structuredOutputs);
    schema(fields, "guided_json", JsonWhitespace.BOUNDED);
    regex(fields, "guided_regex");
    choice(fields, "guided_choice");
    grammar(fields, "guided_grammar");
    grammar(fields, "grammar");
    schema(fields, "json_schema", JsonWhitespace.BOUNDED);
    fields.accept("guided_decoding_backend");
    fields.refuse("guided_whitespace_pattern");
    if (found.size() > 1) {
      throw fields.invalid(
          found.get(1).field(),
          "and %s both say what the answer must be: give one".formatted(found.get(0).field()));
    }
    return found.isEmpty() ? NOTHING : found.getFirst();
  }

  private void found(Wanted wanted) {
    found.add(wanted);
  }

  private Optional<Wanted> responseFormat(Fields format) {
    var type = format.requiredText("type");
    return switch (type) {
      case "text" -> Optional.empty();
      // llama.cpp's clients may put a schema beside it.
      case "json_object" ->
          Optional.of(
              format
                  .node("schema")
                  .map(schema -> wanted(format, "schema", schema, true, JsonWhitespace.BOUNDED))
                  .orElseGet(() -> new Wanted(new Constraint.JsonObject(), "response_format")));
      case "json_schema" -> {
        var inner = format.object("json_schema").orElseThrow(() -> format.missing("json_schema"));
        inner.requiredText("name");
        inner.text("description");
        var schema = inner.node("schema").orElseThrow(() -> inner.missing("schema"));
        var strict = inner.flag("strict", false);
        yield Optional.of(wanted(inner, "schema", schema, strict, JsonWhitespace.BOUNDED));
      }
      default ->
          throw format.invalid(
              "type", "is \"%s\", and must be text, json_object or json_schema".formatted(type));
    };
  }

  private void structuredOutputs(Fields outputs) {
    var whitespace =
        outputs.flag("disable_any_whitespace", false)
            ? JsonWhitespace.COMPACT
            : JsonWhitespace.BOUNDED;
    outputs.accept("disable_fallback");
    outputs.refuse("structural_tag", "whitespace_pattern");
    outputs.refuseUnless(
        "disable_additional_properties", " unless false", GenerationFields::isFalse);
    int before = found.size();
    schema(outputs, "json", whitespace);
    regex(outputs, "regex");
    choice(outputs, "choice");
    grammar(outputs, "grammar");
    if (outputs.flag("json_object", false)) {
      found(new Wanted(new Constraint.JsonObject(whitespace), outputs.path("json_object")));
    }
    if (found.size() == before) {
      throw fields.invalid(
          "structured_outputs", "must hold one of json, regex, choice, grammar, json_object");
    }
  }

  private void schema(Fields of, String name, JsonWhitespace whitespace) {
    of.node(name).ifPresent(node -> found(wanted(of, name, node, true, whitespace)));
  }

  private static Wanted wanted(
      Fields of, String name, JsonNode schema, boolean strict, JsonWhitespace whitespace) {
    return new Wanted(
        new Constraint.JsonSchema(schemaText(of, name, schema), strict, whitespace), of.path(name));
  }

  /** A schema may be given as an object, as true or false, or as the JSON text of either. */
  private static String schemaText(Fields of, String name, JsonNode node) {
    var schema = node;
    if (node.isString()) {
      try {
        schema = JSON.readTree(node.stringValue());
      } catch (JacksonException e) {
        throw of.invalid(name, "is no JSON: " + e.getOriginalMessage());
      }
    }
    if (!schema.isObject() && !schema.isBoolean()) {
      throw of.wrongType(name, "a JSON Schema", schema);
    }
    return schema.toString();
  }

  private void regex(Fields of, String name) {
    of.text(name).ifPresent(regex -> found(new Wanted(new Constraint.Regex(regex), of.path(name))));
  }

  private void grammar(Fields of, String name) {
    of.text(name)
        .filter(grammar -> !grammar.isEmpty())
        .ifPresent(grammar -> found(new Wanted(new Constraint.Grammar(grammar), of.path(name))));
  }

  private void choice(Fields of, String name) {
    of.list(name)
        .ifPresent(
            list -> {
              var texts = new ArrayList<String>();
              for (var item : list) {
                if (!item.isString()) {
                  throw of.wrongType(name, "a list of strings", item);
                }
                texts.add(item.stringValue());
              }
              if (texts.isEmpty()) {
                throw of.invalid(name, "is empty, and must hold at least one string");
              }
              found(new Wanted(new Constraint.Choice(texts), of.path(name)));
            });
  }
}
