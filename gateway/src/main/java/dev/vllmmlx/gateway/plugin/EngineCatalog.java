package dev.vllmmlx.gateway.plugin;

import dev.vllmmlx.spi.EngineProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** Every engine that was found, in the order of its name. Immutable. */
public final class EngineCatalog {
  private final List<FoundEngine> engines;

  private EngineCatalog(List<FoundEngine> engines) {
    this.engines =
        engines.stream()
            .sorted((a, b) -> a.provider().name().compareTo(b.provider().name()))
            .toList();
  }

  /**
   * Looks on the class path, and in each folder of {@code pluginsDir}: {@code
   * pluginsDir/NAME/*.jar} is one plugin.
   *
   * @throws PluginException if a plugin cannot be read or loaded, or if two engines share a name
   */
  public static EngineCatalog find(Optional<Path> pluginsDir) {
    var server = EngineCatalog.class.getClassLoader();
    var found = new ArrayList<>(load(server, "class path"));
    pluginsDir.ifPresent(
        dir -> {
          for (var folder : folders(dir)) {
            found.addAll(loadPlugin(folder, server));
          }
        });
    checkNames(found);
    return new EngineCatalog(found);
  }

  public List<FoundEngine> engines() {
    return engines;
  }

  /** The engine of this name or alias. */
  public Optional<FoundEngine> named(String name) {
    return engines.stream().filter(engine -> engine.isCalled(name)).findFirst();
  }

  /** The names of all, for messages. */
  public String names() {
    return engines.stream()
        .map(engine -> engine.provider().name())
        .collect(Collectors.joining(", "));
  }

  private static List<FoundEngine> loadPlugin(Path folder, ClassLoader server) {
    var name = folder.getFileName().toString();
    var jars = jars(folder);
    if (jars.length == 0) {
      throw new PluginException("the plugin folder %s holds no jar".formatted(folder));
    }
    var own = load(new PluginClassLoader(name, jars, server), folder.toString());
    if (own.isEmpty()) {
      throw new PluginException(
          "the plugin %s declares no engine: its jar lacks META-INF/services/%s"
              .formatted(folder, EngineProvider.class.getName()));
    }
    return own;
  }

  private static List<FoundEngine> load(ClassLoader loader, String origin) {
    try {
      return ServiceLoader.load(EngineProvider.class, loader).stream()
          .map(provider -> new FoundEngine(provider.get(), origin))
          .toList();
    } catch (ServiceConfigurationError | LinkageError e) {
      throw new PluginException(
          "cannot load the engine from %s: %s".formatted(origin, e.getMessage()), e);
    }
  }

  private static List<Path> folders(Path dir) {
    try (var children = Files.list(dir)) {
      return children.filter(Files::isDirectory).sorted().toList();
    } catch (IOException e) {
      throw new PluginException("cannot read the plugins folder " + dir, e);
    }
  }

  private static URL[] jars(Path folder) {
    try (var files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".jar"))
          .sorted()
          .map(EngineCatalog::url)
          .toArray(URL[]::new);
    } catch (IOException e) {
      throw new PluginException("cannot read the plugin folder " + folder, e);
    }
  }

  private static URL url(Path file) {
    try {
      return file.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void checkNames(List<FoundEngine> engines) {
    var owners = new HashMap<String, FoundEngine>();
    for (var engine : engines) {
      var names = new ArrayList<>(engine.provider().aliases());
      names.add(engine.provider().name());
      for (var name : names) {
        var other = owners.put(name, engine);
        if (other != null && other != engine) {
          throw new PluginException(
              "two engines are called %s: one from %s, one from %s"
                  .formatted(name, other.origin(), engine.origin()));
        }
      }
    }
  }
}
