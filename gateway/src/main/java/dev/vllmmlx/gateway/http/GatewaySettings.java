package dev.vllmmlx.gateway.http;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How the server listens and what it allows.
 *
 * @param host the address to listen on
 * @param port 0 for any free one
 * @param apiKeys one of which clients must send as bearer token; empty for everybody. Each is a
 *     tenant: none sees or ends another's requests
 * @param allowedOrigins web pages that may call from a browser; {@code *} for all
 * @param limits sizes
 * @param times how long things may take
 */
public record GatewaySettings(
    String host,
    int port,
    List<String> apiKeys,
    List<String> allowedOrigins,
    Limits limits,
    Times times) {

  public GatewaySettings {
    Objects.requireNonNull(host);
    apiKeys = List.copyOf(apiKeys);
    allowedOrigins = List.copyOf(allowedOrigins);
    Objects.requireNonNull(limits);
    Objects.requireNonNull(times);
  }

  /** The usual settings, without a key, on this address. */
  public static GatewaySettings on(String host, int port) {
    return new GatewaySettings(host, port, List.of(), List.of(), Limits.usual(), Times.usual());
  }

  public GatewaySettings withKeys(List<String> keys) {
    return new GatewaySettings(host, port, keys, allowedOrigins, limits, times);
  }

  public GatewaySettings withOrigins(List<String> origins) {
    return new GatewaySettings(host, port, apiKeys, origins, limits, times);
  }

  public GatewaySettings with(Limits others) {
    return new GatewaySettings(host, port, apiKeys, allowedOrigins, others, times);
  }

  public GatewaySettings with(Times others) {
    return new GatewaySettings(host, port, apiKeys, allowedOrigins, limits, others);
  }

  /**
   * Sizes.
   *
   * @param maxTokens the longest answer where a request sets none
   * @param streamInterval tokens per chunk of a stream
   * @param maxBodyBytes the largest request body
   */
  public record Limits(int maxTokens, int streamInterval, long maxBodyBytes) {
    public static Limits usual() {
      return new Limits(32_768, 1, 32L << 20);
    }
  }

  /**
   * How long things may take.
   *
   * @param aliveWithin health is bad when the engine's thread was not seen alive for so long
   * @param body what a client gets to send its body in
   * @param keepAlive silence in a stream after which a comment is sent
   * @param stalled a client that does not read for so long is cut off
   * @param idle a connection on which nothing is asked for so long is closed
   * @param request the whole answer, where a request does not say; empty for no limit
   * @param token from one token of a choice to its next; empty for no limit
   */
  public record Times(
      Duration aliveWithin,
      Duration body,
      Duration keepAlive,
      Duration stalled,
      Duration idle,
      Optional<Duration> request,
      Optional<Duration> token) {
    public Times {
      Objects.requireNonNull(aliveWithin);
      Objects.requireNonNull(body);
      Objects.requireNonNull(keepAlive);
      Objects.requireNonNull(stalled);
      Objects.requireNonNull(idle);
      Objects.requireNonNull(request);
      Objects.requireNonNull(token);
    }

    public static Times usual() {
      return new Times(
          Duration.ofSeconds(60),
          Duration.ofSeconds(60),
          Duration.ofSeconds(15),
          Duration.ofMinutes(2),
          Duration.ofMinutes(3),
          Optional.of(Duration.ofMinutes(5)),
          Optional.empty());
    }

    public Times withBody(Duration other) {
      return new Times(aliveWithin, other, keepAlive, stalled, idle, request, token);
    }

    public Times withStream(Duration itsKeepAlive, Duration itsStalled) {
      return new Times(aliveWithin, body, itsKeepAlive, itsStalled, idle, request, token);
    }

    public Times withIdle(Duration other) {
      return new Times(aliveWithin, body, keepAlive, stalled, other, request, token);
    }

    public Times withAnswer(Optional<Duration> itsRequest, Optional<Duration> itsToken) {
      return new Times(aliveWithin, body, keepAlive, stalled, idle, itsRequest, itsToken);
    }
  }
}
