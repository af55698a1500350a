package dev.vllmmlx.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.hub.ModelReference.EmbeddedDefault;
import dev.vllmmlx.hub.ModelReference.HubModel;
import dev.vllmmlx.hub.ModelReference.LocalFolder;
import dev.vllmmlx.hub.ModelReference.LocalGguf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelReferenceTest {
  @TempDir Path folder;

  @Test
  void meansTheDefaultWhenNothingIsNamed() {
    assertThat(ModelReference.parse(null)).isEqualTo(new EmbeddedDefault());
    assertThat(ModelReference.parse(" ")).isEqualTo(new EmbeddedDefault());
  }

  @Test
  void readsIdsOfTheHub() {
    assertThat(ModelReference.parse("mlx-community/Qwen3-0.6B-8bit"))
        .isEqualTo(new HubModel("mlx-community/Qwen3-0.6B-8bit", Optional.empty(), "main"));
    assertThat(ModelReference.parse("a/b@refs/pr/1"))
        .isEqualTo(new HubModel("a/b", Optional.empty(), "refs/pr/1"));
    assertThat(ModelReference.parse("a/b-GGUF/sub/b.Q4_1.gguf@v1.0"))
        .isEqualTo(new HubModel("a/b-GGUF", Optional.of("sub/b.Q4_1.gguf"), "v1.0"));
    assertThat(new HubModel("a/b", Optional.empty(), "main").withRevision("x").revision())
        .isEqualTo("x");
    assertThat(new HubModel("a/b", Optional.of("c.gguf"), "main").id()).isEqualTo("a/b/c.gguf");
  }

  @Test
  void prefersAPathThatExists() throws IOException {
    var gguf = Files.createFile(folder.resolve("model.gguf"));
    var unnamed = Files.writeString(folder.resolve("blob"), "GGUF....");

    assertThat(ModelReference.parse(folder.toString())).isEqualTo(new LocalFolder(folder));
    assertThat(ModelReference.parse(gguf.toString())).isEqualTo(new LocalGguf(gguf));
    assertThat(ModelReference.parse(unnamed.toString())).isEqualTo(new LocalGguf(unnamed));
    // The module's own folder of two parts could be an id as well.
    assertThat(ModelReference.parse("src/main")).isEqualTo(new LocalFolder(Path.of("src/main")));
  }

  @Test
  void refusesAFileThatIsNoCheckpoint() throws IOException {
    var file = Files.writeString(folder.resolve("model.safetensors"), "x");

    assertThatThrownBy(() -> ModelReference.parse(file.toString()))
        .isInstanceOf(HubException.InvalidReference.class)
        .hasMessageContaining("not a GGUF one");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/no/such", "./no", "../no", "~/no", "no/such/", "C:\\no", "no.gguf", "no/x.gguf"})
  void saysThatAPathDoesNotExist(String path) {
    assertThatThrownBy(() -> ModelReference.parse(path))
        .isInstanceOf(HubException.InvalidReference.class)
        .hasMessage("There is no file or folder '%s'.".formatted(path));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "qwen3",
        "a/b/c",
        "a//b",
        "a/b c",
        "a/-b",
        "a/b--c",
        "a/b..c",
        "a/b.",
        "a/b@",
        "a/b@../x",
        "a/b@-x",
        "é/b",
        "a/b/../../c.gguf",
        "https://example.org/a/b",
        "a/\0"
      })
  void refusesMalformedIds(String id) {
    assertThatThrownBy(() -> ModelReference.parse(id))
        .isInstanceOf(HubException.InvalidReference.class)
        .hasMessageContaining("'");
  }
}
