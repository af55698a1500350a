package dev.vllmmlx.spi;

import java.util.List;
import java.util.Set;

/**
 * A kind of engine, found by {@link java.util.ServiceLoader}. It is cheap to make: the loader makes
 * every provider that it finds, to list them and to read their options, and opens one.
 */
public interface EngineProvider {

  /**
   * The name by which users choose this engine ({@code --engine NAME}): lower-case letters, digits
   * and hyphens, unique among the providers that were found.
   */
  String name();

  /**
   * Other names that choose it. A server flag without a value whose name is an alias, such as
   * {@code --continuous-batching}, is the same as {@code --engine} with that alias.
   */
  default Set<String> aliases() {
    return Set.of();
  }

  /** One line for {@code vllm-mlx engines}. */
  String description();

  /** The options this engine understands, beside those of every server. */
  default List<EngineOption> options() {
    return List.of();
  }

  /**
   * Loads the model and starts the engine. Blocks until it can generate, which may take as long as
   * a download; called on a thread that may block, once for each engine wanted.
   *
   * @throws EngineException {@link EngineException.InvalidRequest} when the model's name or an
   *     option's value is wrong, {@link EngineException.Unavailable} when the model cannot be had,
   *     {@link EngineException.Internal} for the rest. Nothing stays open after a throw.
   */
  Engine open(EngineContext context);
}
