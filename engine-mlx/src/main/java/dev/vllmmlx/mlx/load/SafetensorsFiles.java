package dev.vllmmlx.mlx.load;

import dev.vllmmlx.mlx.model.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Finds the weight files of a folder. */
final class SafetensorsFiles {

  private static final String INDEX = "model.safetensors.index.json";

  private SafetensorsFiles() {}

  /**
   * What the index names; without one every {@code model*.safetensors}, and if there is no such
   * file either then the only {@code .safetensors} there is.
   *
   * @throws ModelFormatException if there are none, or the index names one that is not there
   */
  static List<Path> in(Path folder) {
    var index = folder.resolve(INDEX);
    if (Files.exists(index)) {
      return indexed(folder, index);
    }
    var found = matching(folder, "model*.safetensors");
    if (found.isEmpty()) {
      found = matching(folder, "*.safetensors");
      if (found.size() > 1) {
        throw new ModelFormatException(
            "%s holds several .safetensors files, and no %s says which are the model's"
                .formatted(folder, INDEX));
      }
    }
    if (found.isEmpty()) {
      throw new ModelFormatException("%s holds no .safetensors file".formatted(folder));
    }
    return found;
  }

  private static List<Path> indexed(Path folder, Path index) {
    var names = new TreeSet<String>();
    try {
      var map = JsonMapper.shared().readTree(Files.readString(index)).path("weight_map");
      map.values().forEach(file -> names.add(file.asString()));
    } catch (IOException | JacksonException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(index, e.getMessage()), e);
    }
    if (names.isEmpty()) {
      throw new ModelFormatException("%s: weight_map is missing or empty".formatted(index));
    }
    for (var name : names) {
      // A name is one of a file beside the index, never a way out of the folder.
      if (!Path.of(name).equals(Path.of(name).getFileName())
          || !Files.isRegularFile(folder.resolve(name))) {
        throw new ModelFormatException(
            "%s names %s, and there is no such file in %s".formatted(INDEX, name, folder));
      }
    }
    return names.stream().map(folder::resolve).toList();
  }

  private static List<Path> matching(Path folder, String glob) {
    try (var files = Files.newDirectoryStream(folder, glob)) {
      var found = new TreeSet<Path>();
      files.forEach(found::add);
      return List.copyOf(found);
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be listed: %s".formatted(folder, e), e);
    }
  }
}
