package dev.vllmmlx.gateway.plugin;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineProvider;

/**
 * A provider and where it was found.
 *
 * @param provider as its service loader made it
 * @param origin for people: {@code class path} or the plugin's folder
 */
public record FoundEngine(EngineProvider provider, String origin) {

  /**
   * Opens the engine with its own class loader as the thread's, where libraries look for theirs.
   */
  public Engine open(EngineContext context) {
    var thread = Thread.currentThread();
    var before = thread.getContextClassLoader();
    thread.setContextClassLoader(provider.getClass().getClassLoader());
    try {
      return provider.open(context);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  boolean isCalled(String name) {
    return provider.name().equals(name) || provider.aliases().contains(name);
  }
}
