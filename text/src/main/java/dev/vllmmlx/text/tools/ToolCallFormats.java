package dev.vllmmlx.text.tools;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The formats there are. */
public final class ToolCallFormats {

  /** For models whose template knows no tools: they are told how to write calls. */
  public static final ToolCallFormat JSON = JsonCalls.generic();

  // The most telling first: a template that holds the signs of several has the first of them.
  private static final List<ToolCallFormat> ALL =
      List.of(
          new HarmonyCalls(),
          NamedCalls.kimi(),
          NamedCalls.deepSeekV3(),
          NamedCalls.deepSeekV31(),
          NamedCalls.mistral(),
          JsonListCalls.mistral(),
          JsonListCalls.commandR(),
          JsonListCalls.phi(),
          JsonListCalls.granite(),
          TaggedCalls.qwen3Coder(),
          TaggedCalls.glm(),
          GemmaCalls.gemma4(),
          GemmaCalls.functionGemma(),
          new ToolCodeCalls(),
          new HermesCalls(),
          new PythonicCalls(),
          JsonCalls.llama(),
          JSON);

  private static final Map<String, ToolCallFormat> BY_NAME = byName();

  private ToolCallFormats() {}

  /** By a format's own name, or by the one that vLLM's users know. */
  public static Optional<ToolCallFormat> named(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  /** All names, in the order to show them in. */
  public static List<String> names() {
    return List.copyOf(BY_NAME.keySet());
  }

  /** The format whose markup the source of a chat template holds. */
  public static Optional<ToolCallFormat> of(String template) {
    return ALL.stream().filter(format -> format.isIn(template)).findFirst();
  }

  private static Map<String, ToolCallFormat> byName() {
    var map = new LinkedHashMap<String, ToolCallFormat>();
    ALL.forEach(format -> map.put(format.name(), format));
    map.put("llama4_pythonic", map.get("pythonic"));
    map.put("gemma3", map.get("tool_code"));
    map.put("llama4_json", map.get("llama3_json"));
    map.put("openai", map.get("harmony"));
    map.put("phi4_mini_json", map.get("phi4"));
    map.put("cohere_command3", map.get("command_r"));
    return map;
  }
}
