package dev.vllmmlx.spi;

import java.util.Objects;

/**
 * An option that an engine declares. The command line shows it as {@code --name} and checks its
 * type before the engine sees it.
 *
 * @param name lower-case words joined by hyphens, without the leading hyphens: {@code block-size}
 * @param type what its value is
 * @param defaultValue as a user would write it; empty when there is none, for the engine to choose
 * @param help one line, which says the unit where there is one
 */
public record EngineOption(String name, Type type, String defaultValue, String help) {

  /** What the value of an option is. */
  public enum Type {
    /** A switch: {@code --name} alone means {@code true}. */
    FLAG,
    /** A whole number of 64 bits. */
    INTEGER,
    /** A finite decimal number. */
    NUMBER,
    /** Any text. */
    TEXT,
    /** A number of bytes with an optional unit: {@code 512}, {@code 64KB}, {@code 2.5GB}. */
    BYTES,
    /** A length of time with its unit: {@code 250ms}, {@code 30s}, {@code 5m}. */
    DURATION
  }

  public EngineOption {
    Objects.requireNonNull(type);
    Objects.requireNonNull(defaultValue);
    Objects.requireNonNull(help);
    if (!name.matches("[a-z][a-z0-9]*(-[a-z0-9]+)*")) {
      throw new IllegalArgumentException("not the name of an option: " + name);
    }
  }
}
