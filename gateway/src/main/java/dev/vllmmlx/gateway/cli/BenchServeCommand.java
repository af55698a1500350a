package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.bench.Bench;
import dev.vllmmlx.gateway.bench.LoadPlan;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code vllm-mlx bench serve}: a load on any OpenAI server. */
@Command(
    name = "serve",
    description = "Puts a load on any OpenAI server and measures its answers.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class BenchServeCommand implements Callable<Integer> {

  @Spec CommandSpec spec;

  @Option(
      names = "--url",
      required = true,
      description = "Where the server is, such as http://localhost:8000.")
  URI url;

  @Option(names = "--model", paramLabel = "ID", description = "Default: the first it lists.")
  String model;

  @Option(
      names = "--api-key",
      paramLabel = "KEY",
      defaultValue = "${env:VLLM_MLX_API_KEY}",
      description = "Sent as a bearer token; also VLLM_MLX_API_KEY.")
  String apiKey;

  @Option(
      names = "--endpoint",
      paramLabel = "chat|completions",
      defaultValue = "chat",
      description = "What is asked (default: chat).")
  String endpoint;

  @Option(
      names = "--concurrency",
      split = ",",
      paramLabel = "N",
      defaultValue = "1,4,8",
      description = "Requests at once; each level is measured by itself (default: 1,4,8).")
  List<Integer> concurrency;

  @Option(
      names = "--requests",
      paramLabel = "N",
      defaultValue = "32",
      description = "Requests at each level (default: 32).")
  int requests;

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      defaultValue = "2",
      description = "Requests before, which do not count (default: 2).")
  int warmUp;

  @Option(
      names = "--prompt-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description = "About how long prompts are (default: 128).")
  int promptTokens;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "64",
      description = "How long answers are (default: 64).")
  int maxTokens;

  @Option(
      names = "--shared-prefix",
      paramLabel = "SHARE",
      defaultValue = "0",
      description = "The part of each prompt that all have in common, 0 to 1 (default: 0).")
  double sharedPrefix;

  @Option(
      names = "--rate",
      paramLabel = "PER_SECOND",
      description = "Arrivals at random times; without it the next starts when one ends.")
  Double rate;

  @Option(names = "--seed", defaultValue = "1", description = "Of prompts and arrivals.")
  long seed;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "300",
      description = "For one request (default: 300).")
  int timeout;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Where to write the figures as JSON; - for standard output.")
  String json;

  @Option(names = "--html", paramLabel = "FILE", description = "Where to write a page with plots.")
  Path html;

  @Override
  public Integer call() throws Exception {
    check(concurrency.stream().allMatch(n -> n >= 1), "--concurrency must be at least 1");
    check(requests >= 1, "--requests must be at least 1");
    check(warmUp >= 0, "--warm-up must not be negative");
    check(promptTokens >= 1, "--prompt-tokens must be at least 1");
    check(maxTokens >= 1, "--max-tokens must be at least 1");
    check(sharedPrefix >= 0 && sharedPrefix <= 1, "--shared-prefix must be from 0 to 1");
    check(rate == null || rate > 0, "--rate must be above 0");
    check(timeout >= 1, "--timeout must be at least 1");
    check(
        endpoint.equals("chat") || endpoint.equals("completions"),
        "--endpoint: chat or completions");
    check(
        "http".equals(url.getScheme()) || "https".equals(url.getScheme()),
        "--url must begin with http:// or https://");
    var plan =
        new LoadPlan(
            url,
            Optional.ofNullable(model),
            Optional.ofNullable(apiKey).filter(key -> !key.isBlank()),
            concurrency,
            requests,
            warmUp,
            promptTokens,
            maxTokens,
            sharedPrefix,
            rate == null ? OptionalDouble.empty() : OptionalDouble.of(rate),
            endpoint.equals("chat"),
            seed,
            timeout);
    var command = spec.commandLine();
    return Bench.load(
            plan,
            Optional.ofNullable(json),
            Optional.ofNullable(html),
            command.getOut(),
            command.getErr())
        ? 0
        : 1;
  }

  private void check(boolean holds, String message) {
    if (!holds) {
      throw new ParameterException(spec.commandLine(), message);
    }
  }
}
