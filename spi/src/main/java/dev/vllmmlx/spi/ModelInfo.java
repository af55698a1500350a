package dev.vllmmlx.spi;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A model that an engine serves.
 *
 * @param id the name clients use
 * @param contextLength prompt and answer together may be so many tokens
 * @param vocabularySize ids are below it
 * @param modalities what a prompt may hold
 * @param template what its chat template can do
 * @param defaults how it samples when a request does not say, from the model's own files
 * @param created when its files were made, as far as is known
 */
public record ModelInfo(
    String id,
    int contextLength,
    int vocabularySize,
    Set<Modality> modalities,
    TemplateCapabilities template,
    Sampling defaults,
    Instant created) {

  public ModelInfo {
    Objects.requireNonNull(id);
    modalities = Set.copyOf(modalities);
    Objects.requireNonNull(template);
    Objects.requireNonNull(defaults);
    Objects.requireNonNull(created);
  }

  /** What a prompt may hold. */
  public enum Modality {
    TEXT,
    IMAGE,
    AUDIO
  }

  /**
   * What the model's chat template can do.
   *
   * @param chat whether there is a template at all: without one a {@link Prompt.Chat} is refused
   * @param tools whether it shows tools to the model
   * @param reasoning whether it has a switch for thinking
   * @param reasoningFormat how the model marks what it thinks before it answers, by a name that the
   *     gateway knows; empty where it does not think aloud
   * @param toolCallFormat how the model writes calls, likewise; empty where it never does
   */
  public record TemplateCapabilities(
      boolean chat,
      boolean tools,
      boolean reasoning,
      Optional<String> reasoningFormat,
      Optional<String> toolCallFormat) {

    public TemplateCapabilities {
      Objects.requireNonNull(reasoningFormat);
      Objects.requireNonNull(toolCallFormat);
    }

    /** A template of a model whose answers are all text. */
    public TemplateCapabilities(boolean chat, boolean tools, boolean reasoning) {
      this(chat, tools, reasoning, Optional.empty(), Optional.empty());
    }
  }
}
