package dev.vllmmlx.mcp.config;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts variables of the environment into values: {@code ${NAME}}, {@code ${env:NAME}}, and {@code
 * ${NAME:-otherwise}}.
 *
 * @param environment what {@code NAME} may be
 * @param strict whether a variable that is not set is an error; otherwise the text stays
 */
record Variables(Map<String, String> environment, boolean strict) {
  private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^}]*)}");
  private static final Pattern NAMED =
      Pattern.compile("(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", Pattern.DOTALL);

  /** Why a value cannot be had. */
  static final class Missing extends Exception {
    private static final long serialVersionUID = 1;

    Missing(String message) {
      super(message);
    }
  }

  Variables lenient() {
    return new Variables(environment, false);
  }

  String expand(String text) throws Missing {
    var reference = REFERENCE.matcher(text);
    var expanded = new StringBuilder();
    while (reference.find()) {
      reference.appendReplacement(
          expanded, Matcher.quoteReplacement(value(reference.group(), reference.group(1))));
    }
    return reference.appendTail(expanded).toString();
  }

  private String value(String whole, String inner) throws Missing {
    var named = NAMED.matcher(inner);
    if (!named.matches()) {
      if (strict) {
        throw new Missing("only ${NAME} and ${env:NAME} are known, not " + whole);
      }
      return whole;
    }
    var value = environment.get(named.group(1));
    if (value == null) {
      value = named.group(2);
    }
    if (value == null && strict) {
      throw new Missing("the environment variable %s is not set".formatted(named.group(1)));
    }
    return value == null ? whole : value;
  }
}
