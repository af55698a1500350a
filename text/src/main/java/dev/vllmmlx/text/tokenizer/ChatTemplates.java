package dev.vllmmlx.text.tokenizer;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The chat templates a checkpoint brings, as source text: what the chat package renders. Most have
 * one; some name several, such as {@code default} and {@code tool_use}.
 *
 * @param named template source by name, in the order found; the one without a name of its own is
 *     called {@value #DEFAULT}
 */
public record ChatTemplates(Map<String, String> named) {
  /** The name of the template that is used when none is asked for. */
  public static final String DEFAULT = "default";

  public static final ChatTemplates NONE = new ChatTemplates(Map.of());

  public ChatTemplates {
    named = Collections.unmodifiableMap(new LinkedHashMap<>(named));
  }

  /** The template to use when none is asked for, if the checkpoint has one. */
  public Optional<String> source() {
    return source(DEFAULT);
  }

  public Optional<String> source(String name) {
    return Optional.ofNullable(named.get(name));
  }
}
