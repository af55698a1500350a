package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineOption;
import dev.vllmmlx.spi.EngineProvider;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a server gives an engine whose options nobody sets. */
public final class EngineDefaults {
  private EngineDefaults() {}

  /**
   * @param model where it lies; empty for the engine's own default
   * @param more options that are set after all
   */
  public static EngineContext context(
      EngineProvider provider, Optional<String> model, Map<String, String> more) {
    var values =
        provider.options().stream()
            .filter(option -> !option.defaultValue().isEmpty())
            .collect(Collectors.toMap(EngineOption::name, EngineOption::defaultValue));
    values.putAll(more);
    return new EngineContext(model, Optional.empty(), values, (step, done, total) -> {});
  }
}
