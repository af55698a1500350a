package dev.vllmmlx.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.hub.ModelReference.HubModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The cache is shared with Python's {@code huggingface_hub}: each must find what the other brought.
 */
@Timeout(300)
class PythonInteropTest {
  private static final String COMMIT = "0123456789012345678901234567890123456789";
  private static final String SHARD = "model-00001-of-00002.safetensors";
  private static final HubModel MODEL = new HubModel("tiny/model", Optional.empty(), "main");

  private static Path python;

  @TempDir Path cache;
  private final LoopbackHub hub = new LoopbackHub();
  private final Map<String, byte[]> files = LoopbackHub.tinyModel();

  @BeforeAll
  static void findPython() throws Exception {
    var maker = Path.of("../testenv/venv").toAbsolutePath().normalize();
    python = Path.of(output(Map.of(), maker.toString(), "hub")).resolve("bin/python");
  }

  @BeforeEach
  void publish() {
    hub.repository("tiny/model").commit("main", COMMIT, files);
  }

  @AfterEach
  void close() {
    hub.close();
  }

  @Test
  void pythonFindsWhatWeBrought() throws Exception {
    var ours = ours(false).resolve(MODEL, FileSelection.WHOLE, Progress.NONE);

    assertThat(
            python(
                true,
                "from huggingface_hub import snapshot_download",
                "print(snapshot_download('tiny/model'))"))
        .isEqualTo(ours.toString());
    assertThat(
            python(
                true,
                "from huggingface_hub import hf_hub_download",
                "print(hf_hub_download('tiny/model', '%s'))".formatted(SHARD)))
        .isEqualTo(ours.resolve(SHARD).toString());
    assertThat(
            python(
                true,
                "from huggingface_hub import scan_cache_dir",
                "cache = scan_cache_dir()",
                "(repo,) = cache.repos",
                "print(repo.repo_id, sorted(repo.refs), len(cache.warnings), repo.size_on_disk)"))
        .isEqualTo("tiny/model ['main'] 0 " + fetchedBytes());
  }

  @Test
  void pythonFetchesOnlyWhatWeLeftOut() throws Exception {
    var ours = ours(false).resolve(MODEL, FileSelection.WHOLE, Progress.NONE);
    hub.forgetRequests();

    assertThat(
            python(
                false,
                "from huggingface_hub import snapshot_download",
                "print(snapshot_download('tiny/model'))"))
        .isEqualTo(ours.toString());
    assertThat(hub.bodiesSent(SHARD)).isZero();
    assertThat(hub.bodiesSent("config.json")).isZero();
    assertThat(ours.resolve("README.md")).hasBinaryContent(files.get("README.md"));
  }

  @Test
  void weFindWhatPythonBrought() throws Exception {
    var theirs =
        python(
            false,
            "from huggingface_hub import snapshot_download",
            "print(snapshot_download('tiny/model'))");
    hub.forgetRequests();

    assertThat(ours(true).resolve(MODEL, FileSelection.WHOLE, Progress.NONE))
        .isEqualTo(Path.of(theirs));
    assertThat(hub.requests()).isEmpty();
    assertThat(ours(false).resolve(MODEL, FileSelection.WHOLE, Progress.NONE))
        .isEqualTo(Path.of(theirs));
    assertThat(hub.requests()).as("one question, no download").hasSize(1);
  }

  @Test
  void weFindWhatMlxLmBrought() throws Exception {
    // The selection that mlx-lm makes.
    var theirs =
        python(
            false,
            "from huggingface_hub import snapshot_download",
            "print(snapshot_download('tiny/model', allow_patterns=['*.json', 'model*.safetensors', '*.py',"
                + " 'tokenizer.model', '*.tiktoken', 'tiktoken.model', '*.txt', '*.jsonl', '*.jinja']))");

    assertThat(ours(true).resolve(MODEL, FileSelection.WHOLE, Progress.NONE))
        .isEqualTo(Path.of(theirs));
  }

  @Test
  void weDoNotTakeWhatPythonLeftHalfDone() throws Exception {
    python(
        false,
        "from huggingface_hub import snapshot_download",
        "print(snapshot_download('tiny/model', ignore_patterns=['*.jinja', '%s']))"
            .formatted(SHARD));

    assertThatThrownBy(() -> ours(true).resolve(MODEL, FileSelection.WHOLE, Progress.NONE))
        .isInstanceOf(HubException.NotCached.class)
        .hasMessageContaining("chat_template.jinja")
        .hasMessageContaining(SHARD);
    var mended = ours(false).resolve(MODEL, FileSelection.WHOLE, Progress.NONE);
    assertThat(mended.resolve(SHARD)).hasBinaryContent(files.get(SHARD));
    assertThat(hub.bodiesSent("config.json")).isEqualTo(1);
  }

  private long fetchedBytes() {
    return files.entrySet().stream()
        .filter(file -> !file.getKey().contains("/"))
        .filter(file -> !file.getKey().matches("README.md|pytorch_model.bin"))
        .mapToLong(file -> file.getValue().length)
        .sum();
  }

  private HubSource ours(boolean offline) {
    var settings =
        new HubSettings(
            hub.endpoint(), Optional.empty(), offline, cache, Duration.ofSeconds(10), cache);
    return new HubSource(settings, Backoff.PATIENT, DiskSpace.SYSTEM);
  }

  private String python(boolean offline, String... lines) throws Exception {
    return output(
        Map.of(
            "HF_HUB_CACHE",
            cache.toString(),
            "HF_HOME",
            cache.resolve("home").toString(),
            "HF_ENDPOINT",
            hub.endpoint().toString(),
            "HF_HUB_OFFLINE",
            offline ? "1" : "0",
            "HF_HUB_DISABLE_TELEMETRY",
            "1",
            "HF_HUB_DISABLE_PROGRESS_BARS",
            "1",
            "HF_TOKEN",
            ""),
        python.toString(),
        "-c",
        String.join("\n", lines));
  }

  private static String output(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    var errors = Files.createTempFile("python", ".err");
    try {
      var builder =
          new ProcessBuilder(new ArrayList<>(List.of(command))).redirectError(errors.toFile());
      builder.environment().putAll(environment);
      var process = builder.start();
      var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(Files.readString(errors)).isZero();
      return out.strip();
    } finally {
      Files.delete(errors);
    }
  }
}
