package dev.vllmmlx.mcp.config;

import java.util.Objects;

/**
 * A name, or many: {@code *} stands for any characters, {@code ?} for one.
 *
 * @param text as the configuration has it
 */
public record NamePattern(String text) {
  public NamePattern {
    Objects.requireNonNull(text);
  }

  /** Whether the whole name fits; case counts. Takes the product of both lengths at most. */
  public boolean matches(String name) {
    var at = 0;
    var in = 0;
    var star = -1;
    var resume = 0;
    while (in < name.length()) {
      if (at < text.length() && text.charAt(at) == '*') {
        star = at++;
        resume = in;
      } else if (at < text.length()
          && (text.charAt(at) == '?' || text.charAt(at) == name.charAt(in))) {
        at++;
        in++;
      } else if (star >= 0) {
        // The last star takes one character more.
        at = star + 1;
        in = ++resume;
      } else {
        return false;
      }
    }
    while (at < text.length() && text.charAt(at) == '*') {
      at++;
    }
    return at == text.length();
  }

  @Override
  public String toString() {
    return text;
  }
}
