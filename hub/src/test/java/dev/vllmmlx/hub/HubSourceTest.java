package dev.vllmmlx.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.vllmmlx.hub.LoopbackHub.Fault;
import dev.vllmmlx.hub.ModelReference.HubModel;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class HubSourceTest {
  private static final String COMMIT = "0123456789012345678901234567890123456789";
  private static final String NEXT_COMMIT = "abcdefabcdefabcdefabcdefabcdefabcdefabcd";
  private static final String SHARD = "model-00001-of-00002.safetensors";
  private static final String OTHER_SHARD = "model-00002-of-00002.safetensors";
  private static final HubModel MODEL = new HubModel("tiny/model", Optional.empty(), "main");
  private static final Backoff QUICK = new Backoff(4, Duration.ofMillis(1), Duration.ofSeconds(2));

  @TempDir Path cache;
  private final LoopbackHub hub = new LoopbackHub();
  private final Map<String, byte[]> files = LoopbackHub.tinyModel();
  private final RecordedProgress progress = new RecordedProgress();
  private Path folder;
  private HubSettings settings;

  @BeforeEach
  void publish() {
    hub.repository("tiny/model").commit("main", COMMIT, files);
    folder = cache.resolve("models--tiny--model");
    settings =
        new HubSettings(
            hub.endpoint(), Optional.empty(), false, cache, Duration.ofSeconds(5), cache);
  }

  @AfterEach
  void close() {
    hub.close();
  }

  // The way it should go

  @Test
  void laysOutTheCacheAsPythonDoes() throws IOException {
    var path = resolve();

    assertThat(path).isEqualTo(folder.resolve("snapshots").resolve(COMMIT));
    assertThat(folder.resolve("refs/main")).hasContent(COMMIT);
    assertThat(namesIn(path))
        .containsExactlyInAnyOrder(
            "config.json",
            "generation_config.json",
            "model.safetensors.index.json",
            SHARD,
            OTHER_SHARD,
            "tokenizer.json",
            "tokenizer_config.json",
            "chat_template.jinja");
    for (var name : namesIn(path)) {
      var etag = LoopbackHub.etag(name, files.get(name));
      assertThat(Files.readSymbolicLink(path.resolve(name)))
          .isEqualTo(Path.of("../../blobs", etag));
      assertThat(path.resolve(name)).hasBinaryContent(files.get(name));
    }
    assertThat(namesIn(folder.resolve("blobs"))).hasSize(8);
  }

  @Test
  void tellsHowFarItIs() {
    resolve();

    assertThat(progress.events())
        .startsWith("planned tiny/model 8")
        .contains("started " + SHARD + " 0/300000", "done " + SHARD)
        .endsWith("ended");
    assertThat(progress.bytes(SHARD)).isEqualTo(300_000);
  }

  @Test
  void fetchesNothingTwice() {
    resolve();
    hub.forgetRequests();
    var again = new RecordedProgress();

    source(settings).resolve(MODEL, FileSelection.WHOLE, again);

    assertThat(hub.requests()).hasSize(1).allMatch(r -> r.path().startsWith("/api/"));
    assertThat(again.events()).isEmpty();
  }

  @Test
  void asksNobodyForACommitThatIsHere() {
    resolve();
    hub.forgetRequests();

    source(settings).resolve(MODEL.withRevision(COMMIT), FileSelection.WHOLE, progress);

    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void followsABranchAndFetchesOnlyWhatChanged() {
    resolve();
    hub.forgetRequests();
    var next = new TreeMap<>(files);
    next.put("config.json", LoopbackHub.utf8("{\"model_type\":\"qwen3\"}"));
    hub.repository("tiny/model").commit("main", NEXT_COMMIT, next);

    var path = resolve();

    assertThat(path).isEqualTo(folder.resolve("snapshots").resolve(NEXT_COMMIT));
    assertThat(path.resolve("config.json")).hasContent("{\"model_type\":\"qwen3\"}");
    assertThat(path.resolve(SHARD)).hasBinaryContent(files.get(SHARD));
    assertThat(hub.requests()).hasSize(2);
    assertThat(folder.resolve("refs/main")).hasContent(NEXT_COMMIT);
  }

  @Test
  void takesARevisionWithSlashes() {
    hub.repository("tiny/model").commit("refs/pr/1", NEXT_COMMIT, files);

    var path =
        source(settings).resolve(MODEL.withRevision("refs/pr/1"), FileSelection.WHOLE, progress);

    assertThat(path).endsWithRaw(Path.of(NEXT_COMMIT));
    assertThat(folder.resolve("refs/refs/pr/1")).hasContent(NEXT_COMMIT);
  }

  @Test
  void sparesTheWeightsWhereOnlyTextIsRendered() {
    var path = source(settings).resolve(MODEL, FileSelection.TEXT, progress);

    assertThat(path.resolve("tokenizer.json")).exists();
    assertThat(path.resolve(SHARD)).doesNotExist();
    assertThat(source(offline()).resolve(MODEL, FileSelection.TEXT, progress)).isEqualTo(path);
    assertThatThrownBy(() -> source(offline()).resolve(MODEL, FileSelection.WHOLE, progress))
        .isInstanceOf(HubException.NotCached.class)
        .hasMessageContaining(SHARD);
  }

  @Test
  void fetchesOneGgufFile() {
    var gguf = LoopbackHub.utf8("GGUF and more");
    hub.repository("tiny/gguf")
        .commit("main", COMMIT, Map.of("q4/a b.gguf", gguf, "q8.gguf", new byte[10]));

    var model = (HubModel) ModelReference.parse("tiny/gguf/q4/a b.gguf");
    var path = source(settings).resolve(model, FileSelection.WHOLE, progress);

    assertThat(path).hasBinaryContent(gguf).endsWithRaw(Path.of(COMMIT, "q4", "a b.gguf"));
    assertThat(hub.bodiesSent("q8.gguf")).isZero();
    assertThat(source(offline()).resolve(model, FileSelection.WHOLE, progress)).isEqualTo(path);
  }

  @Test
  void listsTheGgufFilesWhereNoneIsNamed() {
    hub.repository("tiny/gguf").commit("main", COMMIT, Map.of("a.gguf", new byte[9]));

    assertThatThrownBy(() -> resolve("tiny/gguf"))
        .isInstanceOf(HubException.Unusable.class)
        .hasMessageContaining("tiny/gguf/a.gguf");
    assertThatThrownBy(() -> resolve("tiny/gguf/b.gguf"))
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("no file 'b.gguf'")
        .hasMessageContaining("a.gguf");
  }

  @Test
  void refusesRepositoriesThatAreNoCheckpoint() {
    hub.repository("a/pickled").commit("main", COMMIT, Map.of("pytorch_model.bin", new byte[1]));
    hub.repository("a/data").commit("main", COMMIT, Map.of("README.md", new byte[1]));
    hub.repository("a/bare").commit("main", COMMIT, Map.of("model.safetensors", new byte[1]));

    assertThatThrownBy(() -> resolve("a/pickled"))
        .isInstanceOf(HubException.Unusable.class)
        .hasMessageContaining(".bin or .pth files only");
    assertThatThrownBy(() -> resolve("a/data"))
        .isInstanceOf(HubException.Unusable.class)
        .hasMessageContaining("no .safetensors");
    assertThatThrownBy(() -> resolve("a/bare"))
        .isInstanceOf(HubException.Unusable.class)
        .hasMessageContaining("no config.json");
  }

  @Test
  void worksWithAMirrorThatListsNamesOnly() {
    hub.listNamesOnly();

    var path = resolve();

    assertThat(path.resolve(SHARD)).hasBinaryContent(files.get(SHARD));
    assertThat(
            Files.exists(
                folder.resolve("blobs").resolve(LoopbackHub.etag(SHARD, files.get(SHARD)))))
        .isTrue();
  }

  @Test
  void shareOneBlobAmongEqualFiles() {
    var twins = new TreeMap<>(files);
    twins.put("added_tokens.json", LoopbackHub.utf8("{}"));
    hub.repository("tiny/model").commit("main", COMMIT, twins);

    var path = resolve();

    assertThat(path.resolve("added_tokens.json")).hasContent("{}");
    assertThat(path.resolve("generation_config.json")).hasContent("{}");
    assertThat(progress.events()).contains("planned tiny/model 8");
  }

  // The token

  @Test
  void sendsTheTokenToTheHubAndNotToTheCdn() {
    hub.requireToken("hf_secret");

    source(withToken("hf_secret")).resolve(MODEL, FileSelection.WHOLE, progress);

    assertThat(hub.requests())
        .filteredOn(r -> r.server().equals("hub"))
        .isNotEmpty()
        .allMatch(r -> r.authorization().equals("Bearer hf_secret"));
    assertThat(hub.requests())
        .filteredOn(r -> r.server().equals("cdn"))
        .hasSize(2)
        .allMatch(r -> r.authorization().isEmpty());
  }

  @Test
  void tellsToLogInWhenTheHubAsksForIt() {
    hub.requireToken("hf_secret");

    assertThatThrownBy(this::resolve)
        .isInstanceOf(HubException.AccessDenied.class)
        .hasMessageContaining("set HF_TOKEN")
        .hasMessageContaining(hub.endpoint() + "/tiny/model");
    assertThatThrownBy(
            () -> source(withToken("hf_old")).resolve(MODEL, FileSelection.WHOLE, progress))
        .isInstanceOf(HubException.AccessDenied.class)
        .hasMessageContaining("this token")
        .hasMessageContaining("Invalid username or password")
        .hasMessageNotContaining("hf_old");
  }

  @Test
  void tellsToAskForAccessToAGatedRepository() {
    hub.fault("tiny/model", new Fault.Status(403, "X-Error-Code", "GatedRepo"));

    assertThatThrownBy(this::resolve)
        .isInstanceOf(HubException.AccessDenied.class)
        .hasMessageContaining("gated")
        .hasMessageContaining("Ask for access at " + hub.endpoint() + "/tiny/model");
  }

  // What is not there

  @Test
  void saysWhatDoesNotExist() {
    assertThatThrownBy(() -> resolve("no/such"))
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("no repository 'no/such'");
    assertThatThrownBy(() -> resolve("tiny/model@v9"))
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("no revision 'v9'");
    hub.fault("config.json", new Fault.Status(404, "X-Error-Code", "EntryNotFound"));
    assertThatThrownBy(this::resolve)
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("no file 'config.json'");
    assertNothingLooksWhole();
  }

  @Test
  void refusesFileNamesThatLeaveTheFolder() {
    var hostile = new TreeMap<>(files);
    hostile.put("../../../escape.json", new byte[3]);
    hub.repository("tiny/model").commit("main", COMMIT, hostile);

    assertThatThrownBy(this::resolve)
        .isInstanceOf(HubException.Corrupt.class)
        .hasMessageContaining("../../../escape.json");
  }

  @Test
  void noticesThatAnAddressIsNoHub() {
    hub.fault("tiny/model", new Fault.Status(200));

    assertThatThrownBy(this::resolve)
        .isInstanceOf(HubException.Unreachable.class)
        .hasMessageContaining("does not answer as a Hugging Face hub");
  }

  // Faults on the way

  @Test
  void goesOnWhereTheConnectionBroke() {
    hub.fault(SHARD, new Fault.CutAfter(100_000), new Fault.CutAfter(50_000));

    var path = resolve();

    assertThat(path.resolve(SHARD)).hasBinaryContent(files.get(SHARD));
    assertThat(hub.requests())
        .filteredOn(r -> r.server().equals("cdn") && r.path().endsWith(SHARD))
        .extracting(LoopbackHub.Request::range)
        .containsExactly("", "bytes=100000-", "bytes=150000-");
    assertThat(progress.bytes(SHARD)).isEqualTo(300_000);
  }

  @Test
  void goesOnWhereAnEarlierProcessStopped() throws IOException {
    var etag = LoopbackHub.etag(SHARD, files.get(SHARD));
    Files.createDirectories(folder.resolve("blobs"));
    Files.write(
        folder.resolve("blobs").resolve(etag + ".vllm-mlx.incomplete"),
        Arrays.copyOf(files.get(SHARD), 123_456));

    var path = resolve();

    assertThat(path.resolve(SHARD)).hasBinaryContent(files.get(SHARD));
    assertThat(hub.requests()).extracting(LoopbackHub.Request::range).contains("bytes=123456-");
    assertThat(progress.events()).contains("started " + SHARD + " 123456/300000");
    assertThat(progress.bytes(SHARD)).isEqualTo(300_000);
  }

  @Test
  void startsAnewWhereTheServerIgnoresRanges() {
    hub.fault(SHARD, new Fault.CutAfter(100_000), new Fault.IgnoreRange());

    assertThat(resolve().resolve(SHARD)).hasBinaryContent(files.get(SHARD));
    assertThat(progress.bytes(SHARD)).isEqualTo(300_000);
  }

  @Test
  void startsAnewWhenThePartIsRefused() {
    hub.fault(SHARD, new Fault.CutAfter(100_000), new Fault.Status(416));

    assertThat(resolve().resolve(SHARD)).hasBinaryContent(files.get(SHARD));
  }

  @Test
  void throwsAwayAPartThatIsTooLong() throws IOException {
    var etag = LoopbackHub.etag(SHARD, files.get(SHARD));
    Files.createDirectories(folder.resolve("blobs"));
    Files.write(folder.resolve("blobs").resolve(etag + ".vllm-mlx.incomplete"), new byte[300_001]);

    assertThat(resolve().resolve(SHARD)).hasBinaryContent(files.get(SHARD));
  }

  @Test
  void fetchesAgainWhatHasTheWrongChecksum() {
    hub.fault(SHARD, new Fault.WrongByte());
    hub.fault("config.json", new Fault.WrongByte());

    var path = resolve();

    assertThat(path.resolve(SHARD)).hasBinaryContent(files.get(SHARD));
    assertThat(path.resolve("config.json")).hasBinaryContent(files.get("config.json"));
    assertThat(hub.bodiesSent(SHARD)).isEqualTo(2);
    assertThat(progress.bytes(SHARD)).isEqualTo(300_000);
  }

  @Test
  void givesUpOnAChecksumThatStaysWrong() throws IOException {
    hub.fault(SHARD, new Fault.WrongByte(), new Fault.WrongByte());

    assertThatThrownBy(this::resolve)
        .isInstanceOf(HubException.Corrupt.class)
        .hasMessageContaining(SHARD)
        .hasMessageContaining(LoopbackHub.etag(SHARD, files.get(SHARD)));
    assertThat(namesIn(folder.resolve("blobs")))
        .noneMatch(name -> name.startsWith(LoopbackHub.etag(SHARD, files.get(SHARD))));
    assertNothingLooksWhole();
  }

  @Test
  void triesAgainWhenTheHubFailsForAMoment() {
    hub.fault("tiny/model", new Fault.Status(503), new Fault.Status(502));
    hub.fault(SHARD, new Fault.Status(500), new Fault.Status(429, "Retry-After", "0"));
    hub.fault("config.json", new Fault.Status(504));

    assertThat(resolve().resolve(SHARD)).hasBinaryContent(files.get(SHARD));
  }

  @Test
  void waitsAsLongAsTheHubAsks() {
    hub.fault("tiny/model", new Fault.Status(429, "Retry-After", "1"));
    var start = System.nanoTime();

    resolve();

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofSeconds(1));
  }

  @Test
  void doesNotWaitForALongBan() {
    hub.fault("tiny/model", new Fault.Status(429, "Retry-After", "3600"));

    assertThatThrownBy(this::resolve)
        .isInstanceOf(HubException.Unreachable.class)
        .hasMessageContaining("429 (too many requests)");
  }

  @Test
  void givesUpOnAHubThatKeepsFailing() {
    hub.fault(SHARD, many(new Fault.Status(500)));

    assertThatThrownBy(this::resolve)
        .isInstanceOf(HubException.Unreachable.class)
        .hasMessageContaining("answers 500");
    assertThat(hub.bodiesSent(SHARD)).isEqualTo(4);
    assertNothingLooksWhole();
  }

  @Test
  void doesNotWaitForEverForTheNextByte() {
    hub.fault(SHARD, new Fault.StallAfter(100_000));

    assertThat(source(impatient()).resolve(MODEL, FileSelection.WHOLE, progress).resolve(SHARD))
        .hasBinaryContent(files.get(SHARD));
    assertThat(hub.requests()).extracting(LoopbackHub.Request::range).contains("bytes=100000-");
  }

  @Test
  void doesNotWaitForEverForAnAnswer() {
    hub.fault(SHARD, many(new Fault.Late(60_000)));

    assertThatThrownBy(() -> source(impatient()).resolve(MODEL, FileSelection.WHOLE, progress))
        .isInstanceOf(HubException.Unreachable.class)
        .hasMessageContaining("did not answer within 1 s")
        .hasMessageContaining("HF_HUB_DOWNLOAD_TIMEOUT");
  }

  @Test
  void canBeInterrupted() throws Exception {
    hub.fault(SHARD, many(new Fault.StallAfter(10)));
    var caught = new ArrayList<Throwable>();
    var thread = Thread.ofVirtual().start(() -> caught.add(catchThrowable(this::resolve)));
    while (hub.bodiesSent(SHARD) == 0 && thread.isAlive()) {
      Thread.sleep(5);
    }

    thread.interrupt();

    assertThat(thread.join(Duration.ofSeconds(3))).isTrue();
    assertThat(caught.getFirst()).isInstanceOf(HubException.Interrupted.class);
    assertNothingLooksWhole();
  }

  // Without a network

  @Test
  void usesTheCacheWhenOffline() {
    var path = resolve();
    hub.forgetRequests();

    assertThat(source(offline()).resolve(MODEL, FileSelection.WHOLE, progress)).isEqualTo(path);
    assertThat(hub.requests()).isEmpty();
  }

  @Test
  void usesTheCacheWhenTheHubIsGone() {
    var path = resolve();
    hub.close();

    assertThat(resolve()).isEqualTo(path);
  }

  @Test
  void usesTheCacheWhenTheHubRefuses() {
    var path = resolve();
    hub.fault("tiny/model", new Fault.Status(500), new Fault.Status(401));

    assertThat(resolve()).isEqualTo(path);
    assertThat(resolve()).isEqualTo(path);
  }

  @Test
  void usesTheOldCommitWhenTheNewOneCannotBeFetched() {
    var path = resolve();
    var next = new TreeMap<>(files);
    next.put("config.json", LoopbackHub.utf8("{\"model_type\":\"qwen3\"}"));
    hub.repository("tiny/model").commit("main", NEXT_COMMIT, next);
    hub.fault("config.json", many(new Fault.Status(500)));

    assertThat(resolve()).isEqualTo(path);
  }

  @Test
  void saysWhatIsMissingWhenOffline() throws IOException {
    assertThatThrownBy(() -> source(offline()).resolve(MODEL, FileSelection.WHOLE, progress))
        .isInstanceOf(HubException.NotCached.class)
        .hasMessageContaining("HF_HUB_OFFLINE is set")
        .hasMessageContaining("is not in the cache");

    var path = resolve();
    Files.delete(path.resolve(OTHER_SHARD));
    Files.delete(path.resolve("tokenizer.json"));
    assertThatThrownBy(() -> source(offline()).resolve(MODEL, FileSelection.WHOLE, progress))
        .isInstanceOf(HubException.NotCached.class)
        .hasMessageContaining("the tokenizer, " + OTHER_SHARD + " is missing");

    Files.delete(path.resolve("model.safetensors.index.json"));
    assertThatThrownBy(() -> source(offline()).resolve(MODEL, FileSelection.WHOLE, progress))
        .as("the shard's own name says that there are two")
        .hasMessageContaining(OTHER_SHARD);
  }

  @Test
  void tellsThatTheHubCannotBeReached() {
    hub.close();

    assertThatThrownBy(this::resolve)
        .isInstanceOf(HubException.Unreachable.class)
        .hasMessageContaining("cannot be reached")
        .hasMessageContaining("127.0.0.1");
  }

  @Test
  void mendsASnapshotThatLacksAFile() throws IOException {
    var path = resolve();
    Files.delete(path.resolve(SHARD));
    Files.delete(folder.resolve("blobs").resolve(LoopbackHub.etag(SHARD, files.get(SHARD))));
    Files.delete(path.resolve("config.json"));
    hub.forgetRequests();

    assertThat(resolve().resolve(SHARD)).hasBinaryContent(files.get(SHARD));
    assertThat(path.resolve("config.json")).hasBinaryContent(files.get("config.json"));
    assertThat(hub.bodiesSent(SHARD)).isEqualTo(1);
    assertThat(hub.bodiesSent("config.json")).as("its blob is still here").isZero();
  }

  @Test
  void replacesABlobThatLostItsEnd() throws IOException {
    var path = resolve();
    var blob = folder.resolve("blobs").resolve(LoopbackHub.etag(SHARD, files.get(SHARD)));
    Files.write(blob, Arrays.copyOf(files.get(SHARD), 1000));

    assertThat(resolve().resolve(SHARD)).hasBinaryContent(files.get(SHARD));
    assertThat(Files.isSymbolicLink(path.resolve(SHARD))).isTrue();
  }

  // Several at once

  @Test
  void downloadsOnceForAllWhoAskAtTheSameTime() throws Exception {
    hub.fault(SHARD, new Fault.Late(300));
    var recorders = List.of(new RecordedProgress(), new RecordedProgress(), new RecordedProgress());
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var starts = new ArrayList<Callable<Path>>();
      for (var recorder : recorders) {
        starts.add(() -> source(settings).resolve(MODEL, FileSelection.WHOLE, recorder));
      }
      for (var start : threads.invokeAll(starts)) {
        assertThat(start.get().resolve(SHARD)).hasBinaryContent(files.get(SHARD));
      }
    }
    assertThat(hub.bodiesSent(SHARD)).isEqualTo(1);
    assertThat(recorders).filteredOn(r -> r.events().contains("ended")).hasSize(1);
  }

  // The disk

  @Test
  void asksForRoomBeforeItStarts() {
    var full = new HubSource(settings, QUICK, _ -> 400_000);

    assertThatThrownBy(() -> full.resolve(MODEL, FileSelection.WHOLE, progress))
        .isInstanceOf(HubException.DiskFull.class)
        .hasMessageContaining(folder.resolve("blobs").toString())
        .hasMessageContaining("400.0 kB free")
        .hasMessageContaining("HF_HOME");
    assertThat(hub.bodiesSent(SHARD)).isZero();
  }

  /** Every write to {@code /dev/full} fails as on a disk without room. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void saysThatTheDiskRanFull() throws IOException {
    Files.createDirectories(folder.resolve("blobs"));
    Files.createSymbolicLink(
        folder
            .resolve("blobs")
            .resolve(LoopbackHub.etag(SHARD, files.get(SHARD)) + ".vllm-mlx.incomplete"),
        Path.of("/dev/full"));

    assertThatThrownBy(this::resolve)
        .isInstanceOf(HubException.DiskFull.class)
        .hasMessageContaining("300000 bytes")
        .hasMessageContaining(folder.resolve("blobs").toString());
    assertNothingLooksWhole();
  }

  /**
   * Nothing may pass for the model: no ref, no file under a final name that is not the real
   * content.
   */
  private void assertNothingLooksWhole() {
    assertThat(folder.resolve("refs")).doesNotExist();
    assertThat(folder.resolve("snapshots").resolve(COMMIT).resolve(SHARD))
        .satisfiesAnyOf(
            path -> assertThat(Files.exists(path, LinkOption.NOFOLLOW_LINKS)).isFalse(),
            path -> assertThat(path).hasBinaryContent(files.get(SHARD)));
    assertThatThrownBy(() -> source(offline()).resolve(MODEL, FileSelection.WHOLE, Progress.NONE))
        .isInstanceOf(HubException.NotCached.class);
  }

  private Path resolve() {
    return source(settings).resolve(MODEL, FileSelection.WHOLE, progress);
  }

  private Path resolve(String reference) {
    return source(settings)
        .resolve((HubModel) ModelReference.parse(reference), FileSelection.WHOLE, progress);
  }

  private static HubSource source(HubSettings settings) {
    return new HubSource(settings, QUICK, DiskSpace.SYSTEM);
  }

  private HubSettings offline() {
    return settings(hub.endpoint(), true);
  }

  private HubSettings settings(URI endpoint, boolean offline) {
    return new HubSettings(endpoint, Optional.empty(), offline, cache, settings.timeout(), cache);
  }

  private HubSettings withToken(String token) {
    return new HubSettings(
        hub.endpoint(), Optional.of(token), false, cache, settings.timeout(), cache);
  }

  private HubSettings impatient() {
    return new HubSettings(
        hub.endpoint(), Optional.empty(), false, cache, Duration.ofSeconds(1), cache);
  }

  private static Fault[] many(Fault fault) {
    var all = new Fault[20];
    Arrays.fill(all, fault);
    return all;
  }

  private static List<String> namesIn(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
