package dev.vllmmlx.mcp.connection;

import java.util.Map;
import java.util.TreeMap;

/** What a child process gets to know of our environment: as little as programs need to run. */
final class ChildEnvironment {
  private ChildEnvironment() {}

  /**
   * Path, home and locale of the first, and all of the second.
   *
   * @param inherited our own variables
   * @param named those that the configuration names for this server
   */
  static Map<String, String> of(Map<String, String> inherited, Map<String, String> named) {
    var environment = new TreeMap<String, String>();
    inherited.forEach(
        (name, value) -> {
          if (name.equals("PATH")
              || name.equals("HOME")
              || name.equals("LANG")
              || name.equals("LANGUAGE")
              || name.startsWith("LC_")) {
            environment.put(name, value);
          }
        });
    environment.putAll(named);
    return environment;
  }
}
