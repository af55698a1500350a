package dev.vllmmlx.hub;

import dev.vllmmlx.hub.Backoff.Passing;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * GET and HEAD towards the hub. Redirects are followed here and not by the client, so that the
 * token goes to the hub's own origin and nowhere else: large files are served by other hosts
 * through signed addresses.
 */
final class HubHttp implements AutoCloseable {
  private static final int MAX_REDIRECTS = 10;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final Set<Integer> PASSING = Set.of(408, 425, 429, 500, 502, 503, 504);

  private final HubSettings settings;
  private final HttpClient client;

  HubHttp(HubSettings settings) {
    this.settings = settings;
    // HTTP/1.1 gives each file a connection of its own, as is best for a few large bodies.
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(settings.timeout())
            .build();
  }

  /**
   * The answer to a GET from the given byte on; the caller closes its body. Any status but passing
   * ones.
   */
  HttpResponse<InputStream> get(URI address, long offset) throws Passing {
    var current = address;
    for (var hop = 0; hop <= MAX_REDIRECTS; hop++) {
      var request = request(current);
      if (offset > 0) {
        request.header("Range", "bytes=" + offset + "-");
      }
      var response = send(request.GET().build());
      if (!REDIRECTS.contains(response.statusCode())) {
        return response;
      }
      close(response);
      current = target(current, response);
    }
    throw new HubException.Unreachable(
        "%s leads through more than %d redirects.".formatted(address, MAX_REDIRECTS), null);
  }

  /**
   * The answer to a HEAD. Redirects on the hub itself (a repository that was renamed) are followed;
   * one that leads away is the answer, since its headers describe the file.
   */
  HttpResponse<InputStream> head(URI address) throws Passing {
    var current = address;
    for (var hop = 0; hop <= MAX_REDIRECTS; hop++) {
      var response = send(request(current).HEAD().build());
      close(response);
      if (!REDIRECTS.contains(response.statusCode())) {
        return response;
      }
      var target = target(current, response);
      if (!isHub(target)) {
        return response;
      }
      current = target;
    }
    throw new HubException.Unreachable(
        "%s leads through more than %d redirects.".formatted(address, MAX_REDIRECTS), null);
  }

  private HttpRequest.Builder request(URI address) {
    var request =
        HttpRequest.newBuilder(address)
            .timeout(settings.timeout())
            .header("User-Agent", "vllm-mlx")
            .header("Accept-Encoding", "identity");
    if (isHub(address)) {
      settings.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
    }
    return request;
  }

  private HttpResponse<InputStream> send(HttpRequest request) throws Passing {
    HttpResponse<InputStream> response;
    try {
      response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
    } catch (HttpTimeoutException e) {
      throw new Passing(
          "%s did not answer within %d s (HF_HUB_DOWNLOAD_TIMEOUT sets the limit)."
              .formatted(origin(request.uri()), settings.timeout().toSeconds()),
          e);
    } catch (IOException e) {
      throw new Passing("%s cannot be reached: %s.".formatted(origin(request.uri()), reason(e)), e);
    } catch (InterruptedException e) {
      throw new HubException.Interrupted("Interrupted while waiting for the hub.", e);
    }
    if (PASSING.contains(response.statusCode())) {
      close(response);
      throw new Passing(
          "%s answers %d%s."
              .formatted(
                  origin(request.uri()),
                  response.statusCode(),
                  response.statusCode() == 429 ? " (too many requests)" : ""),
          retryAfter(response));
    }
    return response;
  }

  private static URI target(URI from, HttpResponse<?> response) {
    try {
      var target = from.resolve(response.headers().firstValue("Location").orElseThrow());
      if ("http".equals(target.getScheme()) || "https".equals(target.getScheme())) {
        return target;
      }
    } catch (RuntimeException _) {
      // Missing or malformed: said below.
    }
    throw new HubException.Unreachable(
        "%s answers %d without a usable address.".formatted(from, response.statusCode()), null);
  }

  private boolean isHub(URI address) {
    return origin(address).equals(origin(settings.endpoint()));
  }

  private static String origin(URI address) {
    return address.getScheme() + "://" + address.getRawAuthority();
  }

  /** Seconds only: the hub and its CDNs do not use the form with a date. */
  private static Optional<Duration> retryAfter(HttpResponse<?> response) {
    return response
        .headers()
        .firstValue("Retry-After")
        .filter(text -> text.matches("\\d{1,9}"))
        .map(text -> Duration.ofSeconds(Long.parseLong(text)));
  }

  /** The innermost message that says something: the client wraps some errors without one. */
  static String reason(Throwable error) {
    if (error instanceof UnresolvedAddressException) {
      return "the name of the host is not known";
    }
    var message = error.getMessage();
    if (message != null) {
      return message;
    }
    return error.getCause() == null ? error.getClass().getSimpleName() : reason(error.getCause());
  }

  private static void close(HttpResponse<InputStream> response) {
    try {
      response.body().close();
    } catch (IOException _) {
      // Only unread bytes are lost.
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
