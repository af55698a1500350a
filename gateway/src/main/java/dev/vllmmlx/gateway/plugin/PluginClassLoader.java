package dev.vllmmlx.gateway.plugin;

import java.net.URL;
import java.net.URLClassLoader;

/**
 * Loads one plugin apart from the server and from every other plugin: its own jars and the JDK, and
 * of the server nothing but the SPI. So a plugin may bring any version of any library.
 */
final class PluginClassLoader extends URLClassLoader {
  private static final String SHARED_PACKAGE = "dev.vllmmlx.spi.";

  private final ClassLoader server;

  PluginClassLoader(String name, URL[] jars, ClassLoader server) {
    super("plugin-" + name, jars, ClassLoader.getPlatformClassLoader());
    this.server = server;
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    // A copy of the SPI inside the plugin would be another type than the server's.
    return name.startsWith(SHARED_PACKAGE)
        ? server.loadClass(name)
        : super.loadClass(name, resolve);
  }
}
