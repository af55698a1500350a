package dev.vllmmlx.mcp.tool;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Names of functions as OpenAI's API has them, {@code [a-zA-Z0-9_-]{1,64}}, out of any text. A
 * tool's is {@code server__tool}; a server's part holds no double underscore and does not end in
 * one, so that no two servers' tools share a name.
 */
final class FunctionNames {
  static final String SEPARATOR = "__";
  private static final int LONGEST = 64;
  private static final int LONGEST_SERVER = 24;
  private static final int DIGEST = 6;
  private static final Pattern NOT_ALLOWED = Pattern.compile("[^a-zA-Z0-9_-]");
  private static final Pattern UNDERSCORES = Pattern.compile("__+");
  private static final Pattern AT_THE_ENDS = Pattern.compile("^_+|_+$");

  private FunctionNames() {}

  /** A part for each server, unlike that of any other; what can keep its name does. */
  static Map<String, String> ofServers(Collection<String> servers) {
    return unlike(
        servers,
        "server",
        LONGEST_SERVER,
        name ->
            AT_THE_ENDS
                .matcher(
                    UNDERSCORES.matcher(NOT_ALLOWED.matcher(name).replaceAll("_")).replaceAll("_"))
                .replaceAll(""));
  }

  /** The whole names of one server's tools. */
  static Map<String, String> ofTools(String serverPart, Collection<String> tools) {
    var prefix = serverPart + SEPARATOR;
    var names = new LinkedHashMap<String, String>();
    unlike(
            tools,
            "tool",
            LONGEST - prefix.length(),
            name -> NOT_ALLOWED.matcher(name).replaceAll("_"))
        .forEach((tool, part) -> names.put(tool, prefix + part));
    return names;
  }

  private static Map<String, String> unlike(
      Collection<String> originals,
      String otherwise,
      int longest,
      java.util.function.UnaryOperator<String> clean) {
    var taken = new LinkedHashSet<String>();
    var parts = new LinkedHashMap<String, String>();
    for (var name : originals) {
      if (clean.apply(name).equals(name) && !name.isEmpty() && name.length() <= longest) {
        taken.add(name);
        parts.put(name, name);
      }
    }
    // In an order of their own, not the server's, so that a name stays when others come and go.
    originals.stream()
        .filter(name -> !parts.containsKey(name))
        .sorted()
        .forEach(
            name -> parts.put(name, changed(name, clean.apply(name), otherwise, longest, taken)));
    return parts;
  }

  private static String changed(
      String original, String cleaned, String otherwise, int longest, Set<String> taken) {
    var base = cleaned.isEmpty() ? otherwise : cleaned;
    if (base.length() <= longest && taken.add(base)) {
      return base;
    }
    var digest = digest(original);
    for (var length = DIGEST; ; length++) {
      var kept = base.substring(0, Math.min(base.length(), longest - length - 1));
      var name = AT_THE_ENDS.matcher(kept).replaceAll("") + "-" + digest.substring(0, length);
      if (taken.add(name)) {
        return name;
      }
    }
  }

  private static String digest(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
