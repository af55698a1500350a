package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.http.GatewaySettings;
import dev.vllmmlx.gateway.plugin.EngineCatalog;
import dev.vllmmlx.hub.ProgressBar;
import dev.vllmmlx.spi.EngineContext;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code vllm-mlx rehearse}: a server's whole life in a second or two, so that a JVM that records
 * it can write the ahead-of-time cache which later starts are quick with. The launcher asks for the
 * recording; without it this is a check that the installation works.
 */
@Command(
    name = "rehearse",
    description =
        "Starts a server, asks it something and ends it; the launcher makes later starts quick with"
            + " what the JVM learns from it.",
    mixinStandardHelpOptions = true)
final class RehearseCommand implements Callable<Integer> {
  private static final String CHAT =
      """
      {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 8, "temperature": %s, \
      "stream": %s}""";

  private final EngineCatalog catalog;
  private final EngineOptions engineOptions;

  @Spec CommandSpec spec;

  @Mixin EngineChoice choice;

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL",
      description = "A model as for serve (default: a tiny one that comes with the distribution).")
  String model;

  RehearseCommand(EngineCatalog catalog, EngineOptions engineOptions) {
    this.catalog = catalog;
    this.engineOptions = engineOptions;
  }

  @Override
  public Integer call() throws Exception {
    var command = spec.commandLine();
    var engine = choice.from(catalog, command);
    var context =
        new EngineContext(
            Optional.ofNullable(model),
            Optional.empty(),
            engineOptions.values(engine, command, Map.of()),
            new TerminalProgress(ProgressBar.onStandardError()));
    var server = Server.start(settings(), engine, context, Optional.empty());
    try {
      ask("http://127.0.0.1:" + server.gateway().port());
    } finally {
      server.end(Duration.ofSeconds(10));
    }
    return CommandLine.ExitCode.OK;
  }

  private static void ask(String url) throws IOException, InterruptedException {
    try (var client = HttpClient.newHttpClient()) {
      for (var path : List.of("/health", "/v1/models", "/v1/status", "/metrics")) {
        answered(client, HttpRequest.newBuilder(URI.create(url + path)));
      }
      for (var streamed : List.of(false, true)) {
        for (var temperature : List.of(0, 1)) {
          answered(
              client,
              HttpRequest.newBuilder(URI.create(url + "/v1/chat/completions"))
                  .header("Content-Type", "application/json")
                  .POST(BodyPublishers.ofString(CHAT.formatted(temperature, streamed))));
        }
      }
    }
  }

  private static void answered(HttpClient client, HttpRequest.Builder builder)
      throws IOException, InterruptedException {
    var request = builder.build();
    var response = client.send(request, BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IOException(
          "%s was answered with %d: %s"
              .formatted(request.uri().getPath(), response.statusCode(), response.body()));
    }
  }

  private static GatewaySettings settings() {
    return new GatewaySettings(
        "127.0.0.1",
        0,
        List.of(),
        List.of(),
        new GatewaySettings.Limits(16, 1, 1 << 20),
        GatewaySettings.Times.usual());
  }
}
