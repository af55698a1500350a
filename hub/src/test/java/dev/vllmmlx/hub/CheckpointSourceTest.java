package dev.vllmmlx.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.hub.gguf.GgufBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointSourceTest {
  private static final String COMMIT = "0123456789012345678901234567890123456789";

  @TempDir Path root;

  @Test
  void takesAFolderAndNamesItAfterItself() throws IOException {
    var folder = folder("My-Model", "config.json", "model.safetensors");

    assertThat(resolve(folder.toString())).isEqualTo(new Checkpoint.Folder("My-Model", folder));
    assertThat(resolve(folder + "/").id()).isEqualTo("My-Model");
  }

  @Test
  void namesAFolderOfTheHubsCacheAfterItsRepository() throws IOException {
    var folder =
        folder("models--own-er--na.me/snapshots/" + COMMIT, "config.json", "a.safetensors");

    assertThat(resolve(folder.toString()).id()).isEqualTo("own-er/na.me");
  }

  @Test
  void saysWhatAFolderLacks() throws IOException {
    assertThatThrownBy(() -> resolve(folder("a").toString()))
        .isInstanceOf(HubException.Unusable.class)
        .hasMessageContaining("it has no config.json, *.safetensors");
    assertThatThrownBy(
            () ->
                resolve(folder("b", "config.json", "model-00002-of-00003.safetensors").toString()))
        .hasMessageContaining(
            "it has no model-00001-of-00003.safetensors, model-00003-of-00003.safetensors");
    var indexed = folder("c", "config.json", "x.safetensors");
    var index = indexed.resolve("model.safetensors.index.json");
    Files.writeString(index, "{\"weight_map\":{\"t\":\"x.safetensors\",\"u\":\"y.safetensors\"}}");
    assertThatThrownBy(() -> resolve(indexed.toString()))
        .hasMessageContaining("it has no y.safetensors");
    Files.writeString(index, "{\"weight_map\":{\"t\":\"../x.safetensors\"}}");
    assertThatThrownBy(() -> resolve(indexed.toString()))
        .hasMessageContaining("'../x.safetensors', which is no file of the folder");
    Files.writeString(index, "{");
    assertThatThrownBy(() -> resolve(indexed.toString()))
        .isInstanceOf(HubException.Unusable.class)
        .hasMessageContaining("is no JSON");
    assertThatThrownBy(() -> resolve(folder("d", "x.gguf", "y.gguf").toString()))
        .hasMessageContaining("name the one that is meant: x.gguf, y.gguf");
  }

  @Test
  void needsNoWeightsForText() throws IOException {
    var folder = folder("text", "tokenizer.json");

    var checkpoint = source().resolveText(ModelReference.parse(folder.toString()), Progress.NONE);

    assertThat(checkpoint.path()).isEqualTo(folder);
  }

  @Test
  void takesAGgufFile() throws IOException {
    var file = root.resolve("tiny.Q8_0.gguf");
    Files.write(file, GgufBytes.header(3, 0, 0).toByteArray());

    assertThat(resolve(file.toString())).isEqualTo(new Checkpoint.Gguf("tiny.Q8_0.gguf", file));
  }

  @Test
  void refusesAGgufFileThatCannotBeRead() throws IOException {
    var broken = Files.writeString(root.resolve("broken.gguf"), "<html>");
    var part = root.resolve("part.gguf");
    Files.write(part, GgufBytes.header(3, 0, 1).key("split.count", 2).i16(3).toByteArray());

    assertThatThrownBy(() -> resolve(broken.toString()))
        .isInstanceOf(HubException.Unusable.class)
        .hasMessageContaining("broken.gguf is no usable GGUF file");
    assertThatThrownBy(() -> resolve(part.toString()))
        .isInstanceOf(HubException.Unusable.class)
        .hasMessageContaining("one of 3 parts");
  }

  @Test
  void bringsAModelOfTheHub() {
    try (var hub = new LoopbackHub()) {
      hub.repository("tiny/model").commit("main", COMMIT, LoopbackHub.tinyModel());
      var gguf = GgufBytes.header(3, 0, 0).toByteArray();
      hub.repository("tiny/gguf").commit("main", COMMIT, Map.of("a.gguf", gguf));
      var source =
          new CheckpointSource(
              HubSettings.fromEnvironment(
                  Map.of("HF_HOME", root.toString(), "HF_ENDPOINT", hub.endpoint().toString())));

      var model = source.resolve(ModelReference.parse("tiny/model"), Progress.NONE);
      var file = source.resolve(ModelReference.parse("tiny/gguf/a.gguf"), Progress.NONE);

      assertThat(model)
          .isEqualTo(
              new Checkpoint.Folder(
                  "tiny/model", root.resolve("hub/models--tiny--model/snapshots/" + COMMIT)));
      assertThat(file.id()).isEqualTo("tiny/gguf/a.gguf");
      assertThat(file).isInstanceOf(Checkpoint.Gguf.class);
      assertThat(file.path()).hasBinaryContent(gguf);
    }
  }

  private Checkpoint resolve(String reference) {
    return source().resolve(ModelReference.parse(reference), Progress.NONE);
  }

  private CheckpointSource source() {
    return new CheckpointSource(HubSettings.fromEnvironment(Map.of("HOME", root.toString())));
  }

  private Path folder(String name, String... files) throws IOException {
    var folder = Files.createDirectories(root.resolve(name));
    for (var file : files) {
      Files.writeString(folder.resolve(file), "{}");
    }
    return folder;
  }
}
