package dev.vllmmlx.mcp.config;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Reads a configuration file: YAML where its name ends so, else JSON, in which comments and
 * trailing commas may stand as in the files of editors.
 */
public final class McpConfigReader {
  private static final List<String> SERVERS = List.of("mcpServers", "servers", "mcp.servers");

  private final Variables variables;

  /**
   * @param environment what {@code ${NAME}} in a value may stand for
   */
  public McpConfigReader(Map<String, String> environment) {
    this.variables = new Variables(Map.copyOf(environment), true);
  }

  /**
   * @throws McpConfigException if the file cannot be used; the message names file, server and key
   */
  public McpConfig read(Path file) {
    var root = new ConfigObject(parse(file), file.toString(), variables);
    var warnings = new ArrayList<String>();
    var policy = root.object("policy").map(object -> policy(object, warnings)).orElse(Policy.USUAL);
    var servers = new ArrayList<ServerConfig>();
    servers(root, file, warnings)
        .forEach((name, node) -> servers.add(server(file, name, node, policy, warnings)));
    var rounds = root.count("maxToolRounds").orElse(McpConfig.USUAL_ROUNDS);
    var timeout = root.seconds("toolTimeout").orElse(McpConfig.USUAL_TIMEOUT);
    warnings.addAll(root.unknown());
    return new McpConfig(file, servers, policy, rounds, timeout, warnings);
  }

  private Map<String, JsonNode> servers(ConfigObject root, Path file, List<String> warnings) {
    var found = new LinkedHashMap<String, JsonNode>();
    var sections = 0;
    for (var key : SERVERS) {
      if (root.has(key)) {
        sections++;
        merge(found, root.members(key), file);
      }
    }
    var nested = root.object("mcp");
    if (nested.isPresent() && nested.get().has("servers")) {
      sections++;
      merge(found, nested.get().members("servers"), file);
      warnings.addAll(nested.get().unknown());
    }
    if (sections == 0) {
      throw new McpConfigException(
          "%s: has no servers: mcpServers, servers and mcp.servers are looked for".formatted(file));
    }
    return found;
  }

  private static void merge(Map<String, JsonNode> found, Map<String, JsonNode> more, Path file) {
    more.forEach(
        (name, node) -> {
          if (found.put(name, node) != null) {
            throw new McpConfigException("%s: server \"%s\" is there twice".formatted(file, name));
          }
        });
  }

  private ServerConfig server(
      Path file, String name, JsonNode node, Policy policy, List<String> warnings) {
    var place = "%s: server \"%s\"".formatted(file, name);
    var disabled = new ConfigObject(node, place, variables).bool("disabled", false);
    // One that is not started may lack what it would need.
    var object = new ConfigObject(node, place, disabled ? variables.lenient() : variables);
    object.bool("disabled", false);
    var endpoint = endpoint(object, file);
    if (endpoint instanceof Endpoint.Stdio stdio && !disabled) {
      check(stdio, object, policy);
    }
    var approved = object.patterns("autoApprove");
    var server =
        new ServerConfig(
            name,
            endpoint,
            object.seconds("timeout"),
            disabled,
            object.bool("inject", true),
            execute(object),
            approved,
            new NameFilter(
                object.patterns("allowedTools"),
                object.patterns("blockedTools").orElse(List.of())));
    warnings.addAll(object.unknown());
    if (approved.isPresent() && approved.get().isEmpty()) {
      warnings.add(
          place + ": autoApprove is empty: no call runs unasked, all are given to the client");
    }
    return server;
  }

  private static void check(Endpoint.Stdio stdio, ConfigObject object, Policy policy) {
    policy
        .commands()
        .filter(allowed -> allowed.stream().noneMatch(pattern -> pattern.matches(stdio.command())))
        .ifPresent(
            allowed -> {
              throw object.wrong(
                  "command",
                  "\"%s\" is not among policy.allowedCommands %s"
                      .formatted(stdio.command(), allowed));
            });
  }

  private static boolean execute(ConfigObject object) {
    return switch (object.string("execute").orElse("auto")) {
      case "auto" -> true;
      case "none" -> false;
      case String other -> throw object.wrong("execute", "is auto or none, not \"" + other + "\"");
    };
  }

  private static Endpoint endpoint(ConfigObject object, Path file) {
    var command = object.string("command");
    var url = object.string("url");
    if (command.isPresent() == url.isPresent()) {
      throw object.wrong(
          "command", command.isPresent() ? "and url exclude each other" : "or url is missing");
    }
    var type = object.string("type").map(text -> text.toLowerCase(Locale.ROOT));
    if (command.isPresent()) {
      if (!type.orElse("stdio").equals("stdio")) {
        throw object.wrong("type", "\"%s\" needs url, not command".formatted(type.get()));
      }
      return stdio(object, command.get(), file);
    }
    var target = url(object, url.get());
    var dialect =
        switch (type.orElse(guess(target))) {
          case "streamable-http", "streamablehttp", "streamable_http", "http" ->
              Endpoint.Dialect.STREAMABLE;
          case "sse" -> Endpoint.Dialect.SSE;
          case "stdio" -> throw object.wrong("type", "\"stdio\" needs command, not url");
          case String other ->
              throw object.wrong("type", "is stdio, streamable-http or sse, not \"" + other + "\"");
        };
    return new Endpoint.Http(target, object.textsByName("headers"), dialect);
  }

  private static Endpoint stdio(ConfigObject object, String command, Path file) {
    if (command.isBlank()) {
      throw object.wrong("command", "is blank");
    }
    var base = file.toAbsolutePath().getParent();
    return new Endpoint.Stdio(
        command,
        object.texts("args").orElse(List.of()),
        object.textsByName("env"),
        object.string("cwd").map(base::resolve));
  }

  private static URI url(ConfigObject object, String text) {
    try {
      var url = new URI(text);
      if (url.getHost() == null
          || !("http".equalsIgnoreCase(url.getScheme())
              || "https".equalsIgnoreCase(url.getScheme()))) {
        throw object.wrong("url", "must be http://... or https://..., not \"" + text + "\"");
      }
      return url;
    } catch (URISyntaxException e) {
      throw object.wrong("url", "is no URL: " + e.getMessage());
    }
  }

  private static String guess(URI url) {
    var path = url.getPath();
    return path != null && (path.endsWith("/sse") || path.endsWith("/sse/"))
        ? "sse"
        : "streamable-http";
  }

  private static Policy policy(ConfigObject object, List<String> warnings) {
    var usual = Policy.USUAL;
    var policy =
        new Policy(
            new NameFilter(
                object.patterns("allowedTools"), object.patterns("blockedTools").orElse(List.of())),
            object.patterns("allowedCommands"),
            object.count("maxResultChars").orElse(usual.maxResultChars()),
            object.count("callsPerMinute"),
            object.count("callsPerRequest").orElse(usual.callsPerRequest()),
            object.patterns("redact").orElse(usual.redacted()));
    warnings.addAll(object.unknown());
    return policy;
  }

  private static JsonNode parse(Path file) {
    try {
      var node = mapper(file).readTree(Files.readString(file));
      if (node == null || node.isMissingNode()) {
        throw new McpConfigException(file + ": is empty");
      }
      return node;
    } catch (JacksonException e) {
      throw new McpConfigException(
          "%s: line %d: %s".formatted(file, e.getLocation().getLineNr(), e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw new McpConfigException(
          "%s: cannot be read: %s"
              .formatted(file, Files.exists(file) ? e.getMessage() : "there is no such file"),
          e);
    }
  }

  private static ObjectMapper mapper(Path file) {
    var name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".yaml") || name.endsWith(".yml")
        ? YAMLMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build()
        : JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(JsonReadFeature.ALLOW_JAVA_COMMENTS)
            .enable(JsonReadFeature.ALLOW_TRAILING_COMMA)
            .build();
  }
}
