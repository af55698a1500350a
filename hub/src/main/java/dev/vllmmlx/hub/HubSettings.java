package dev.vllmmlx.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What the environment says about the hub and the caches. The variables are those of Python's
 * {@code huggingface_hub}, with the same meanings and defaults.
 *
 * @param endpoint base address of the hub, without a slash at its end ({@code HF_ENDPOINT})
 * @param token sent as bearer to the endpoint's host only ({@code HF_TOKEN}, else the file that
 *     {@code hf auth login} writes)
 * @param offline use the cache only ({@code HF_HUB_OFFLINE})
 * @param cache folder of {@code models--owner--name} folders ({@code HF_HUB_CACHE}, else {@code
 *     $HF_HOME/hub})
 * @param timeout longest wait for a connection, for an answer, and for the next bytes of a download
 *     ({@code HF_HUB_DOWNLOAD_TIMEOUT}, seconds)
 * @param models folder for models that are not of the hub: the embedded default ({@code
 *     $XDG_CACHE_HOME/vllm-mlx/models})
 */
public record HubSettings(
    URI endpoint,
    Optional<String> token,
    boolean offline,
    Path cache,
    Duration timeout,
    Path models) {

  /** The hub that is meant unless {@code HF_ENDPOINT} names another. */
  public static final String DEFAULT_ENDPOINT = "https://huggingface.co";

  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);
  private static final Set<String> TRUE = Set.of("1", "on", "yes", "true");

  public HubSettings {
    Objects.requireNonNull(endpoint);
    Objects.requireNonNull(token);
    Objects.requireNonNull(cache);
    Objects.requireNonNull(timeout);
    Objects.requireNonNull(models);
  }

  /**
   * Reads the settings from environment variables, usually {@link System#getenv()}; unset and blank
   * are the same.
   *
   * @throws HubException.InvalidReference for a value that cannot be meant; the message names the
   *     variable
   */
  public static HubSettings fromEnvironment(Map<String, String> environment) {
    var env = new Variables(environment);
    var caches = env.path("XDG_CACHE_HOME").orElse(env.home().resolve(".cache"));
    var hfHome = env.path("HF_HOME").orElse(caches.resolve("huggingface"));
    var cache =
        env.path("HF_HUB_CACHE")
            .or(() -> env.path("HUGGINGFACE_HUB_CACHE"))
            .orElse(hfHome.resolve("hub"));
    return new HubSettings(
        endpoint(env.text("HF_ENDPOINT").orElse(DEFAULT_ENDPOINT)),
        token(env, hfHome),
        env.flag("HF_HUB_OFFLINE") || env.flag("TRANSFORMERS_OFFLINE"),
        cache,
        timeout(env),
        caches.resolve("vllm-mlx").resolve("models"));
  }

  /** Everything but the token, which must not reach a log. */
  @Override
  public String toString() {
    return "HubSettings[endpoint=%s, token=%s, offline=%s, cache=%s, timeout=%s, models=%s]"
        .formatted(endpoint, token.isPresent() ? "set" : "none", offline, cache, timeout, models);
  }

  private static URI endpoint(String text) {
    try {
      var uri = URI.create(text.replaceAll("/+$", ""));
      if (("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
          && uri.getHost() != null) {
        return uri;
      }
    } catch (IllegalArgumentException _) {
      // Said below, as for any other address that is none.
    }
    throw new HubException.InvalidReference(
        "HF_ENDPOINT is '%s', which is no http or https address.".formatted(text));
  }

  private static Optional<String> token(Variables env, Path hfHome) {
    if (env.flag("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
      return Optional.empty();
    }
    return env.text("HF_TOKEN")
        .or(() -> env.text("HUGGING_FACE_HUB_TOKEN"))
        .or(() -> tokenFile(env.path("HF_TOKEN_PATH").orElse(hfHome.resolve("token"))));
  }

  private static Optional<String> tokenFile(Path file) {
    try {
      return Files.isRegularFile(file)
          ? Optional.of(Files.readString(file).strip()).filter(token -> !token.isEmpty())
          : Optional.empty();
    } catch (IOException e) {
      throw new HubException.Storage("The token file %s cannot be read.".formatted(file), e);
    }
  }

  private static Duration timeout(Variables env) {
    var text = env.text("HF_HUB_DOWNLOAD_TIMEOUT");
    if (text.isEmpty()) {
      return DEFAULT_TIMEOUT;
    }
    try {
      var seconds = Integer.parseInt(text.get());
      if (seconds > 0) {
        return Duration.ofSeconds(seconds);
      }
    } catch (NumberFormatException _) {
      // Said below, as for zero.
    }
    throw new HubException.InvalidReference(
        "HF_HUB_DOWNLOAD_TIMEOUT is '%s'; it must be a number of seconds above 0."
            .formatted(text.get()));
  }

  private record Variables(Map<String, String> map) {

    Optional<String> text(String name) {
      return Optional.ofNullable(map.get(name)).map(String::strip).filter(text -> !text.isEmpty());
    }

    boolean flag(String name) {
      return text(name).filter(text -> TRUE.contains(text.toLowerCase(Locale.ROOT))).isPresent();
    }

    Path home() {
      return Path.of(text("HOME").orElseGet(() -> System.getProperty("user.home")));
    }

    Optional<Path> path(String name) {
      return text(name)
          .map(
              text ->
                  text.equals("~") || text.startsWith("~/")
                      ? home().resolve(text.substring(Math.min(2, text.length())))
                      : Path.of(text).toAbsolutePath());
    }
  }
}
