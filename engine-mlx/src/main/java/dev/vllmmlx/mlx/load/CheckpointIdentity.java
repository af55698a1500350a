package dev.vllmmlx.mlx.load;

import dev.vllmmlx.hub.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Tells checkpoints apart by what is in their files, wherever these are. */
public final class CheckpointIdentity {
  private CheckpointIdentity() {}

  /**
   * Digests of the configuration and the weights.
   *
   * @param memory where digests of files are remembered; its folder must be there
   */
  public static String of(Checkpoint checkpoint, Path memory) throws IOException {
    var digests = new FileDigests(memory);
    var identity = new StringBuilder();
    for (var file : files(checkpoint)) {
      identity.append(identity.isEmpty() ? "" : "+").append(digests.of(file));
    }
    return identity.toString();
  }

  private static List<Path> files(Checkpoint checkpoint) {
    return switch (checkpoint) {
      case Checkpoint.Gguf(var _, var path) -> List.of(path);
      case Checkpoint.Folder(var _, var path) ->
          Stream.concat(Stream.of(path.resolve("config.json")), SafetensorsFiles.in(path).stream())
              .toList();
    };
  }
}
