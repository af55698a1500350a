package dev.vllmmlx.spi;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What an engine is opened with.
 *
 * @param model what the user named: a folder, a file or a hub id; empty for the engine's default
 * @param servedName the id to serve the model under, where the user gave one
 * @param options values of the options the engine declared, as written and already checked against
 *     their types; an option that was not given and has no default is absent
 * @param progress hears of downloads and loading, for the user to see
 */
public record EngineContext(
    Optional<String> model,
    Optional<String> servedName,
    Map<String, String> options,
    Progress progress) {

  public EngineContext {
    Objects.requireNonNull(model);
    Objects.requireNonNull(servedName);
    Objects.requireNonNull(progress);
    options = Map.copyOf(options);
  }

  /** The value of an option, as written. */
  public Optional<String> option(String name) {
    return Optional.ofNullable(options.get(name));
  }

  /** Whether a {@link EngineOption.Type#FLAG} is on. */
  public boolean flag(String name) {
    return Boolean.parseBoolean(options.get(name));
  }

  /** Hears what opening is busy with. Called on any thread; must not block or throw. */
  @FunctionalInterface
  public interface Progress {

    /**
     * A step of the work has moved.
     *
     * @param step what is going on, for people: {@code "model.safetensors"}
     * @param done how much of it is done, in bytes
     * @param total how much there is in all, in bytes; -1 when not known
     */
    void advanced(String step, long done, long total);
  }
}
