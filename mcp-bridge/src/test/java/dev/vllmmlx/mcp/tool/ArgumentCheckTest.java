package dev.vllmmlx.mcp.tool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.spi.Tool;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ArgumentCheckTest {
  private static final Map<String, Object> SCHEMA =
      Map.of(
          "type",
          "object",
          "properties",
          Map.of("zone", Map.of("type", "string"), "count", Map.of("type", "integer")),
          "required",
          List.of("zone"));

  private static McpTool tool(Map<String, Object> schema) {
    return new McpTool(
        new Tool("s__t", Optional.empty(), Optional.ofNullable(schema), false),
        "s",
        "t",
        true,
        true);
  }

  @Test
  void readsWhatFits() throws Exception {
    assertThat(
            ArgumentCheck.read("{\"zone\": \"UTC\", \"count\": 3, \"more\": [null]}", tool(SCHEMA)))
        .containsEntry("zone", "UTC")
        .containsEntry("count", 3)
        .containsKey("more");
    assertThat(ArgumentCheck.read("  ", tool(null))).isEmpty();
  }

  @Test
  void tellsTheModelWhatDoesNotFit() {
    assertThatThrownBy(() -> ArgumentCheck.read("{\"count\": \"three\"}", tool(SCHEMA)))
        .hasMessageContaining("do not fit the tool's schema")
        .hasMessageContaining("zone")
        .hasMessageContaining("/count");
    assertThatThrownBy(() -> ArgumentCheck.read("[1]", tool(SCHEMA)))
        .hasMessageContaining("must be a JSON object");
    assertThatThrownBy(() -> ArgumentCheck.read("{\"zone\": ", tool(SCHEMA)))
        .hasMessageContaining("no JSON");
    assertThatThrownBy(() -> ArgumentCheck.read("{\"zone\": \"a\", \"zone\": \"b\"}", tool(SCHEMA)))
        .hasMessageContaining("no JSON");
    assertThatThrownBy(() -> ArgumentCheck.read("{\"zone\": \"a\"} x", tool(SCHEMA)))
        .hasMessageContaining("no JSON");
  }

  @Test
  void aSchemaThatCannotBeUsedStopsNoCall() throws Exception {
    var broken = Map.<String, Object>of("type", "object", "$ref", "http://127.0.0.1:9/none");
    assertThat(ArgumentCheck.read("{\"a\": 1}", tool(broken))).containsEntry("a", 1);
    assertThat(ArgumentCheck.read("{}", tool(Map.of("pattern", 7, "type", "no such")))).isEmpty();
  }

  @Test
  void knowsOlderDialects() throws Exception {
    var draft7 =
        Map.<String, Object>of(
            "$schema",
            "http://json-schema.org/draft-07/schema#",
            "properties",
            Map.of("a", Map.of("items", List.of(Map.of("type", "string")))));
    assertThat(ArgumentCheck.read("{\"a\": [\"x\", 1]}", tool(draft7))).hasSize(1);
    assertThatThrownBy(() -> ArgumentCheck.read("{\"a\": [1]}", tool(draft7)))
        .hasMessageContaining("/a/0");
  }

  @Test
  void schemasOfOneIdAreNotMixedUp() throws Exception {
    var one = Map.<String, Object>of("$id", "urn:x", "required", List.of("a"));
    var other = Map.<String, Object>of("$id", "urn:x", "required", List.of("b"));
    assertThat(ArgumentCheck.read("{\"a\": 1}", tool(one))).hasSize(1);
    assertThat(ArgumentCheck.read("{\"b\": 1}", tool(other))).hasSize(1);
  }
}
