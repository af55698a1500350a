package dev.vllmmlx.mcp.config;

import java.net.URI;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Where a server is, and how to speak to it. */
public sealed interface Endpoint {

  /** The transport's name, as {@code type} has it. */
  String type();

  /**
   * A child process that speaks over its standard streams.
   *
   * @param command a program's name or path
   * @param args its arguments
   * @param environment variables it gets beside the minimal ones
   * @param folder its working directory; absent for ours
   */
  record Stdio(
      String command, List<String> args, Map<String, String> environment, Optional<Path> folder)
      implements Endpoint {
    public Stdio {
      Objects.requireNonNull(command);
      args = List.copyOf(args);
      environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
      Objects.requireNonNull(folder);
    }

    @Override
    public String type() {
      return "stdio";
    }

    /** Without the values of variables: they may be secrets. */
    @Override
    public String toString() {
      return "Stdio[%s %s, variables %s]".formatted(command, args, environment.keySet());
    }
  }

  /**
   * A server at a URL.
   *
   * @param url http or https
   * @param headers sent with every request
   * @param dialect which of MCP's two transports over HTTP
   */
  record Http(URI url, Map<String, String> headers, Dialect dialect) implements Endpoint {
    public Http {
      Objects.requireNonNull(url);
      headers = Collections.unmodifiableMap(new LinkedHashMap<>(headers));
      Objects.requireNonNull(dialect);
    }

    @Override
    public String type() {
      return dialect == Dialect.SSE ? "sse" : "streamable-http";
    }

    /** Without the values of headers: they may be secrets. */
    @Override
    public String toString() {
      return "Http[%s, %s, headers %s]".formatted(url, type(), headers.keySet());
    }
  }

  /** MCP's transports over HTTP. */
  enum Dialect {
    /** One URL for everything, since protocol 2025-03-26. */
    STREAMABLE,
    /** A stream of events and a URL to post to, of protocol 2024-11-05. */
    SSE
  }
}
