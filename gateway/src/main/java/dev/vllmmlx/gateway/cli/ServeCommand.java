package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.http.GatewaySettings;
import dev.vllmmlx.gateway.plugin.EngineCatalog;
import dev.vllmmlx.hub.ProgressBar;
import dev.vllmmlx.spi.EngineContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vllm-mlx serve}: opens an engine and serves it until the process is told to end. */
@Command(
    name = "serve",
    description = "Serves a model behind the OpenAI API.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class ServeCommand implements Callable<Integer> {
  private final EngineCatalog catalog;
  private final EngineOptions engineOptions;

  @Spec CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL",
      description =
          "A folder, a .gguf file, or a hub id such as mlx-community/Qwen3-0.6B-8bit"
              + " (default: SmolLM2-135M-Instruct, fetched once).")
  String model;

  @Option(
      names = "--port",
      defaultValue = "8000",
      description = "Server port; 0 takes a free one (default: 8000).")
  int port;

  @Option(
      names = "--host",
      defaultValue = "0.0.0.0",
      description = "Address to listen on (default: 0.0.0.0).")
  String host;

  @Mixin EngineChoice choice;

  @Option(names = "--use-paged-cache", description = "Keep the KV cache in pages.")
  boolean usePagedCache;

  @Option(
      names = "--max-tokens",
      defaultValue = "32768",
      description =
          "Answer length when a request sets none; always cut to the context (default: 32768).")
  int maxTokens;

  @Option(
      names = "--stream-interval",
      defaultValue = "1",
      description = "Tokens per stream chunk (default: 1).")
  int streamInterval;

  @Mixin McpOptions mcp;

  @Option(
      names = "--served-model-name",
      paramLabel = "ID",
      description = "The model's id for clients, beside \"default\" (default: the model's own).")
  String servedModelName;

  @Option(
      names = "--api-key",
      paramLabel = "KEY",
      defaultValue = "${env:VLLM_MLX_API_KEY}",
      description =
          "Clients must send it as a bearer token; may be repeated, a key for each tenant;"
              + " also VLLM_MLX_API_KEY (default: none).")
  List<String> apiKeys = List.of();

  @Option(
      names = "--allowed-origin",
      paramLabel = "ORIGIN",
      converter = OriginOption.class,
      description = "Web pages that may call from a browser; * for all (default: none).")
  List<String> allowedOrigins = List.of();

  @Option(
      names = "--max-queue",
      paramLabel = "N",
      description = "Requests that may wait; the next gets 429 (default: 256).")
  Integer maxQueue;

  @Option(
      names = "--max-body-mb",
      paramLabel = "MIB",
      defaultValue = "32",
      description = "Largest request body; a larger one gets 413 (default: 32).")
  int maxBodyMb;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "5m",
      converter = TimeOption.class,
      description =
          "Longest that an answer may take when its request sets no timeout, such as 90s or 5m;"
              + " 0 for no limit (default: 5m).")
  Duration timeout;

  @Option(
      names = "--token-timeout",
      paramLabel = "TIME",
      defaultValue = "0",
      converter = TimeOption.class,
      description = "Longest from one token of an answer to its next; 0 for no limit (default: 0).")
  Duration tokenTimeout;

  @Option(
      names = "--drain-timeout",
      paramLabel = "TIME",
      defaultValue = "30s",
      converter = TimeOption.class,
      description = "What running requests get to finish in after SIGTERM (default: 30s).")
  Duration drainTimeout;

  @Option(
      names = "--port-file",
      paramLabel = "FILE",
      description = "Where to write the port once the server listens.")
  Path portFile;

  @Option(
      names = "--plugins-dir",
      paramLabel = "DIR",
      description = "Folder of engine plugins, one folder each.")
  Path pluginsDir;

  @Option(
      names = "--log-level",
      paramLabel = "LEVEL",
      defaultValue = "info",
      description = "error, warn, info, debug or trace; prompts are never logged (default: info).")
  LogLevel logLevel;

  ServeCommand(EngineCatalog catalog, EngineOptions engineOptions) {
    this.catalog = catalog;
    this.engineOptions = engineOptions;
  }

  @Override
  public Integer call() throws Exception {
    var command = spec.commandLine();
    checkRanges(command);
    var tools = mcp.read(command);
    var engine = choice.from(catalog, command);
    var values = engineOptions.values(engine, command, sharedOptions());
    var context =
        new EngineContext(
            Optional.ofNullable(model),
            Optional.ofNullable(servedModelName),
            values,
            new TerminalProgress(ProgressBar.onStandardError()));
    new Serving(settings(), drainTimeout, Optional.ofNullable(portFile), command.getOut())
        .run(engine, context, tools);
    return CommandLine.ExitCode.OK;
  }

  private GatewaySettings settings() {
    return new GatewaySettings(
        host,
        port,
        apiKeys.stream().filter(key -> !key.isBlank()).toList(),
        allowedOrigins,
        new GatewaySettings.Limits(maxTokens, streamInterval, (long) maxBodyMb << 20),
        GatewaySettings.Times.usual().withAnswer(limit(timeout), limit(tokenTimeout)));
  }

  private static Optional<Duration> limit(Duration time) {
    return time.isZero() ? Optional.empty() : Optional.of(time);
  }

  /** Options that every server has and that are the engine's to carry out. */
  private Map<String, String> sharedOptions() {
    var shared = new TreeMap<String, String>();
    if (usePagedCache) {
      shared.put("use-paged-cache", "true");
    }
    if (maxQueue != null) {
      shared.put("max-queue", String.valueOf(maxQueue));
    }
    return shared;
  }

  private void checkRanges(CommandLine command) {
    check(command, port >= 0 && port <= 65535, "--port must be from 0 to 65535");
    check(command, maxTokens >= 1, "--max-tokens must be at least 1");
    check(command, streamInterval >= 1, "--stream-interval must be at least 1");
    check(command, maxQueue == null || maxQueue >= 1, "--max-queue must be at least 1");
    check(command, maxBodyMb >= 1 && maxBodyMb <= 2000, "--max-body-mb must be from 1 to 2000");
    check(
        command,
        servedModelName == null || !servedModelName.isBlank(),
        "--served-model-name is blank");
  }

  private static void check(CommandLine command, boolean holds, String message) {
    if (!holds) {
      throw new ParameterException(command, message);
    }
  }

  /** The values of {@code --log-level}. */
  enum LogLevel {
    error,
    warn,
    info,
    debug,
    trace
  }
}
