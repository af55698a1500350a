package dev.vllmmlx.mcp.tool;

import com.networknt.schema.Error;
import com.networknt.schema.SchemaException;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads what a model wrote as arguments, and holds it against the tool's schema before the tool
 * sees it. A schema is a server's own text: nothing that it refers to is fetched, and one that
 * cannot be used lets everything through, since the server checks again.
 */
final class ArgumentCheck {
  private static final Logger LOG = LoggerFactory.getLogger(ArgumentCheck.class);
  private static final int MOST_SAID = 5;
  private static final int LONGEST = 1 << 20;
  private static final SpecificationVersion DIALECT = SpecificationVersion.DRAFT_2020_12;
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private ArgumentCheck() {}

  /** Arguments that do not fit. The message is for the model, so that it can do better. */
  static final class Unfit extends Exception {
    private static final long serialVersionUID = 1;

    Unfit(String message) {
      super(message);
    }
  }

  /**
   * @param arguments a JSON text; a blank one counts as an empty object
   * @return the arguments as plain values of JSON's types
   */
  static Map<String, Object> read(String arguments, McpTool tool) throws Unfit {
    if (arguments.length() > LONGEST) {
      throw new Unfit("the arguments are longer than %d characters".formatted(LONGEST));
    }
    var node = parse(arguments.isBlank() ? "{}" : arguments);
    if (!node.isObject()) {
      throw new Unfit("the arguments must be a JSON object");
    }
    if (tool.definition().parameters().isPresent()) {
      check(node, tool, tool.definition().parameters().get());
    }
    return JSON.convertValue(node, new TypeReference<Map<String, Object>>() {});
  }

  private static JsonNode parse(String arguments) throws Unfit {
    try {
      return JSON.readTree(arguments);
    } catch (JacksonException e) {
      throw new Unfit("the arguments are no JSON: " + e.getOriginalMessage());
    }
  }

  private static void check(JsonNode node, McpTool tool, Map<String, Object> parameters)
      throws Unfit {
    var errors = errors(node, tool, JSON.valueToTree(parameters));
    if (!errors.isEmpty()) {
      throw new Unfit(
          "the arguments do not fit the tool's schema: "
              + errors.stream()
                  .limit(MOST_SAID)
                  .map(error -> error.getInstanceLocation() + " " + error.getMessage())
                  .map(String::strip)
                  .collect(Collectors.joining("; ")));
    }
  }

  private static List<Error> errors(JsonNode node, McpTool tool, JsonNode schema) {
    try {
      // A registry each: schemas know each other by $id in one, and these are of different servers.
      var registry = SchemaRegistry.withDefaultDialect(DIALECT);
      var dialect = schema.path("$schema").asString(DIALECT.getDialectId());
      var wrong = registry.getSchema(SchemaLocation.of(dialect)).validate(schema);
      if (wrong.isEmpty()) {
        return registry.getSchema(schema).validate(node);
      }
      LOG.warn("the schema of {} is not valid: {}", tool.name(), wrong.getFirst());
    } catch (SchemaException | IllegalArgumentException | JacksonException e) {
      LOG.warn("the schema of {} cannot be used: {}", tool.name(), e.getMessage());
    }
    return List.of();
  }
}
