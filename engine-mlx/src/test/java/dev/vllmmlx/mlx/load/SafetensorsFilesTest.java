package dev.vllmmlx.mlx.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.mlx.model.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFilesTest {

  @TempDir Path folder;

  @Test
  void takesWhatTheIndexNames() throws IOException {
    touch("a.safetensors", "b.safetensors", "model.safetensors");
    index(
        "{\"weight_map\": {\"x\": \"b.safetensors\", \"y\": \"a.safetensors\", \"z\": \"a.safetensors\"}}");
    assertThat(SafetensorsFiles.in(folder))
        .containsExactly(folder.resolve("a.safetensors"), folder.resolve("b.safetensors"));
  }

  @Test
  void takesEveryModelFileWithoutAnIndex() throws IOException {
    touch("model-1.safetensors", "model-2.safetensors", "adapters.safetensors");
    assertThat(SafetensorsFiles.in(folder)).hasSize(2);
  }

  @Test
  void takesTheOnlyFile() throws IOException {
    touch("weights.safetensors");
    assertThat(SafetensorsFiles.in(folder)).containsExactly(folder.resolve("weights.safetensors"));
  }

  @Test
  void refusesToGuessAmongSeveral() throws IOException {
    touch("a.safetensors", "b.safetensors");
    assertThatThrownBy(() -> SafetensorsFiles.in(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("several");
  }

  @Test
  void saysThatThereAreNone() {
    assertThatThrownBy(() -> SafetensorsFiles.in(folder)).hasMessageContaining("no .safetensors");
  }

  @Test
  void namesTheShardThatIsNotThere() throws IOException {
    index("{\"weight_map\": {\"x\": \"model-00002-of-00002.safetensors\"}}");
    assertThatThrownBy(() -> SafetensorsFiles.in(folder))
        .hasMessageContaining("names model-00002-of-00002.safetensors");
  }

  @Test
  void neverLeavesTheFolder() throws IOException {
    var inner = Files.createDirectory(folder.resolve("inner"));
    touch("model.safetensors");
    Files.writeString(
        inner.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"x\": \"../model.safetensors\"}}");
    assertThatThrownBy(() -> SafetensorsFiles.in(inner))
        .hasMessageContaining("names ../model.safetensors");
  }

  @Test
  void saysWhatIsWrongWithAnIndex() throws IOException {
    index("{}");
    assertThatThrownBy(() -> SafetensorsFiles.in(folder)).hasMessageContaining("weight_map");
    index("[");
    assertThatThrownBy(() -> SafetensorsFiles.in(folder)).hasMessageContaining("cannot be read");
  }

  private void touch(String... names) throws IOException {
    for (var name : names) {
      Files.createFile(folder.resolve(name));
    }
  }

  private void index(String text) throws IOException {
    Files.writeString(folder.resolve("model.safetensors.index.json"), text);
  }
}
