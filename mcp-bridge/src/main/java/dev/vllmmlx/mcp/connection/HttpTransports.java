package dev.vllmmlx.mcp.connection;

import dev.vllmmlx.mcp.config.Endpoint;
import io.modelcontextprotocol.client.transport.HttpClientSseClientTransport;
import io.modelcontextprotocol.client.transport.HttpClientStreamableHttpTransport;
import io.modelcontextprotocol.json.McpJsonMapper;
import io.modelcontextprotocol.spec.McpClientTransport;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * The SDK's transports over HTTP.
 *
 * @param json for their messages
 * @param mostBytes a longer message ends the connection
 */
record HttpTransports(McpJsonMapper json, int mostBytes) {

  @SuppressWarnings("deprecation") // The old transport is what old servers speak.
  McpClientTransport over(HttpClient client, Endpoint.Http remote) {
    var url = remote.url();
    var base = "%s://%s".formatted(url.getScheme(), url.getRawAuthority());
    var path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/" : url.getRawPath();
    var endpoint = url.getRawQuery() == null ? path : path + "?" + url.getRawQuery();
    var request = HttpRequest.newBuilder();
    remote.headers().forEach(request::header);
    return switch (remote.dialect()) {
      case STREAMABLE ->
          HttpClientStreamableHttpTransport.builder(base)
              .endpoint(endpoint)
              .clientBuilder(new Ready(client))
              .requestBuilder(request)
              .jsonMapper(json)
              .maxResponseSize(mostBytes)
              .build();
      case SSE ->
          HttpClientSseClientTransport.builder(base)
              .sseEndpoint(endpoint)
              .clientBuilder(new Ready(client))
              .requestBuilder(request)
              .jsonMapper(json)
              .maxResponseSize(mostBytes)
              .build();
    };
  }

  /** Hands out the client that is there already, set up as it is. */
  private record Ready(HttpClient client) implements HttpClient.Builder {
    @Override
    public HttpClient build() {
      return client;
    }

    @Override
    public HttpClient.Builder connectTimeout(Duration duration) {
      return this; // The SDK always sets its own.
    }

    @Override
    public HttpClient.Builder cookieHandler(CookieHandler handler) {
      throw isBuilt();
    }

    @Override
    public HttpClient.Builder sslContext(SSLContext context) {
      throw isBuilt();
    }

    @Override
    public HttpClient.Builder sslParameters(SSLParameters parameters) {
      throw isBuilt();
    }

    @Override
    public HttpClient.Builder executor(Executor executor) {
      throw isBuilt();
    }

    @Override
    public HttpClient.Builder followRedirects(HttpClient.Redirect policy) {
      throw isBuilt();
    }

    @Override
    public HttpClient.Builder version(HttpClient.Version version) {
      throw isBuilt();
    }

    @Override
    public HttpClient.Builder priority(int priority) {
      throw isBuilt();
    }

    @Override
    public HttpClient.Builder proxy(ProxySelector selector) {
      throw isBuilt();
    }

    @Override
    public HttpClient.Builder authenticator(Authenticator authenticator) {
      throw isBuilt();
    }

    private static UnsupportedOperationException isBuilt() {
      return new UnsupportedOperationException("the client is built already");
    }
  }
}
