package dev.vllmmlx.text.reasoning;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The formats there are. */
public final class ReasoningFormats {

  /** DeepSeek R1, Qwen 3, GLM 4.5, and whoever learned from them. */
  public static final ReasoningFormat THINK =
      tagged(
          "think",
          List.of("<think>"),
          List.of("</think>"),
          List.of(),
          List.of(),
          List.of("</think>"));

  /** Magistral and Ministral. */
  public static final ReasoningFormat MISTRAL =
      tagged(
          "mistral",
          List.of("[THINK]"),
          List.of("[/THINK]"),
          List.of(),
          List.of(),
          List.of("[/THINK]"));

  /** Granite 3.2, which marks in plain words, and 3.3, which wraps the answer too. */
  public static final ReasoningFormat GRANITE =
      tagged(
          "granite",
          List.of("<think>", "Here is my thought process:", "Here's my thought process:"),
          List.of("</think>", "Here is my response:", "Here's my response:"),
          List.of("<response>"),
          List.of("</response>"),
          List.of("Here is my thought process:", "<response></response>"));

  /** Command R7B and Command A. */
  public static final ReasoningFormat COMMAND_R =
      tagged(
          "command_r",
          List.of("<|START_THINKING|>"),
          List.of("<|END_THINKING|>"),
          List.of("<|START_RESPONSE|>", "<|START_TEXT|>"),
          List.of("<|END_RESPONSE|>", "<|END_TEXT|>"),
          List.of("<|END_THINKING|>", "<|START_RESPONSE|>"));

  /** Gemma 4. */
  public static final ReasoningFormat GEMMA =
      tagged(
          "gemma",
          List.of("<|channel>thought"),
          List.of("<channel|>"),
          List.of(),
          List.of(),
          List.of("<|channel>thought", "<channel|>"));

  /** gpt-oss. */
  public static final ReasoningFormat HARMONY = new HarmonyReasoning();

  // The most telling first: several hold <think> besides.
  private static final List<ReasoningFormat> ALL =
      List.of(HARMONY, GEMMA, COMMAND_R, GRANITE, MISTRAL, THINK);

  private static final Map<String, ReasoningFormat> BY_NAME = byName();

  private ReasoningFormats() {}

  /** By a format's own name, or by the one that vLLM's users know. */
  public static Optional<ReasoningFormat> named(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  /** All names, in the order to show them in. */
  public static List<String> names() {
    return List.copyOf(BY_NAME.keySet());
  }

  /** The format whose markup the source of a chat template holds. */
  public static Optional<ReasoningFormat> of(String template) {
    return ALL.stream().filter(format -> format.isIn(template)).findFirst();
  }

  private static Map<String, ReasoningFormat> byName() {
    var map = new LinkedHashMap<String, ReasoningFormat>();
    ALL.reversed().forEach(format -> map.put(format.name(), format));
    for (var name : List.of("qwen3", "deepseek_r1", "deepseek_v3", "glm45")) {
      map.put(name, THINK);
    }
    map.put("gemma4", GEMMA);
    map.put("openai_gptoss", HARMONY);
    return map;
  }

  private static ReasoningFormat tagged(
      String name,
      List<String> opens,
      List<String> closes,
      List<String> answerOpens,
      List<String> answerCloses,
      List<String> signs) {
    return new TaggedReasoning(name, opens, closes, answerOpens, answerCloses, signs);
  }
}
