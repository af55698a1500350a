package dev.vllmmlx.mcp.connection;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * The JDK's client, except that it follows redirects to the same origin only: the headers of a
 * request may hold keys, and who redirects shall not choose who gets them, or whom in our network
 * we ask. 303 is not followed, nor are 301 and 302 for a request with a body: MCP posts.
 */
final class SameHostClient extends HttpClient {
  private static final int MOST_REDIRECTS = 5;

  private final HttpClient inner;

  SameHostClient(Duration connectTimeout) {
    inner =
        HttpClient.newBuilder()
            .version(Version.HTTP_1_1)
            .followRedirects(Redirect.NEVER)
            .connectTimeout(connectTimeout)
            .build();
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, BodyHandler<T> handler) {
    return send(request, handler, MOST_REDIRECTS);
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, BodyHandler<T> handler, PushPromiseHandler<T> push) {
    return sendAsync(request, handler);
  }

  @Override
  public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
      throws IOException, InterruptedException {
    try {
      return sendAsync(request, handler).get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
    }
  }

  private <T> CompletableFuture<HttpResponse<T>> send(
      HttpRequest request, BodyHandler<T> handler, int redirectsLeft) {
    return inner
        .sendAsync(
            request,
            // The caller's subscriber must not see the body of a redirect.
            info ->
                isRedirect(info.statusCode())
                    ? HttpResponse.BodySubscribers.replacing(null)
                    : handler.apply(info))
        .thenCompose(
            response -> {
              if (!isRedirect(response.statusCode())) {
                return CompletableFuture.completedFuture(response);
              }
              try {
                return send(
                    redirected(request, response, redirectsLeft), handler, redirectsLeft - 1);
              } catch (IOException e) {
                return CompletableFuture.failedFuture(e);
              }
            });
  }

  private static boolean isRedirect(int status) {
    return status >= 300 && status < 400 && status != 304;
  }

  private static HttpRequest redirected(
      HttpRequest request, HttpResponse<?> response, int redirectsLeft) throws IOException {
    var location = response.headers().firstValue("location").orElse("");
    var status = response.statusCode();
    URI target;
    try {
      target = request.uri().resolve(location);
    } catch (IllegalArgumentException e) {
      throw new IOException("the server redirects to what is no URL", e);
    }
    if (location.isEmpty() || redirectsLeft == 0) {
      throw new IOException("the server redirects (HTTP %d) without an end".formatted(status));
    }
    if (!origin(target).equalsIgnoreCase(origin(request.uri()))) {
      throw new IOException(
          "the server redirects to %s, which is not followed: other hosts must be configured"
              .formatted(origin(target)));
    }
    var keepsMethod = status == 307 || status == 308 || request.method().equals("GET");
    if (!keepsMethod) {
      throw new IOException(
          "the server redirects (HTTP %d) to %s: put that into the configuration"
              .formatted(status, target));
    }
    return HttpRequest.newBuilder(request, (_, _) -> true).uri(target).build();
  }

  private static String origin(URI uri) {
    var port = uri.getPort();
    if (port < 0) {
      port = "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
    }
    return "%s://%s:%d".formatted(uri.getScheme(), uri.getHost(), port);
  }

  @Override
  public void close() {
    inner.shutdownNow(); // A stream of events would otherwise be waited for.
  }

  @Override
  public Optional<CookieHandler> cookieHandler() {
    return inner.cookieHandler();
  }

  @Override
  public Optional<Duration> connectTimeout() {
    return inner.connectTimeout();
  }

  @Override
  public Redirect followRedirects() {
    return inner.followRedirects();
  }

  @Override
  public Optional<ProxySelector> proxy() {
    return inner.proxy();
  }

  @Override
  public SSLContext sslContext() {
    return inner.sslContext();
  }

  @Override
  public SSLParameters sslParameters() {
    return inner.sslParameters();
  }

  @Override
  public Optional<Authenticator> authenticator() {
    return inner.authenticator();
  }

  @Override
  public Version version() {
    return inner.version();
  }

  @Override
  public Optional<Executor> executor() {
    return inner.executor();
  }
}
