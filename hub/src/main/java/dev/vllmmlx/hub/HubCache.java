package dev.vllmmlx.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * One repository in the Hugging Face cache, as {@code huggingface_hub} lays it out:
 *
 * <pre>
 * models--owner--name/refs/main                      the commit that a branch or tag stood at
 * models--owner--name/blobs/ETAG                     content, named by its digest
 * models--owner--name/snapshots/COMMIT/config.json   link to ../../blobs/ETAG
 * </pre>
 */
final class HubCache {
  private static final Logger LOG = LoggerFactory.getLogger(HubCache.class);

  private final Path root;
  private final Path folder;
  private final String repository;

  /**
   * @param root folder of all repositories
   * @param repository {@code owner/name}
   */
  HubCache(Path root, String repository) {
    this.root = root;
    this.repository = repository;
    this.folder = root.resolve("models--" + repository.replace("/", "--"));
  }

  Path folder() {
    return folder;
  }

  Path blobs() {
    return folder.resolve("blobs");
  }

  Path blob(RepositoryFile file) {
    return blobs().resolve(file.etag());
  }

  /**
   * Where a blob grows. Python's tools use other names, so that nobody writes into another's file.
   */
  Path partial(RepositoryFile file) {
    return blobs().resolve(file.etag() + ".vllm-mlx.incomplete");
  }

  Path snapshot(String commit) {
    return folder.resolve("snapshots").resolve(commit);
  }

  /** Held by the process that downloads this repository. */
  Path lockFile() {
    return root.resolve(".locks").resolve(folder.getFileName()).resolve("vllm-mlx.lock");
  }

  /** The commit that the revision was at when it was last fetched; a commit stands for itself. */
  Optional<String> commitOf(String revision) {
    if (HubApi.isCommit(revision)) {
      return Optional.of(revision);
    }
    var ref = folder.resolve("refs").resolve(revision);
    try {
      return Files.isRegularFile(ref)
          ? Optional.of(Files.readString(ref).strip()).filter(HubApi::isCommit)
          : Optional.empty();
    } catch (IOException e) {
      throw failed("read", ref, e);
    }
  }

  /** Remembers where the revision stands; only called once everything of the commit is here. */
  void rememberCommit(String revision, String commit) {
    if (HubApi.isCommit(revision) || commitOf(revision).equals(Optional.of(commit))) {
      return;
    }
    var ref = folder.resolve("refs").resolve(revision);
    try {
      Files.createDirectories(ref.getParent());
      var temporary = ref.resolveSibling(ref.getFileName() + "." + UUID.randomUUID() + ".tmp");
      Files.writeString(temporary, commit);
      Files.move(temporary, ref, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // As on a cache that may only be read: the files are here, and that is what counts.
      LOG.warn("{} could not be written: {}", ref, e.toString());
    }
  }

  /** Whether the commit's snapshot has the file, whole. */
  boolean has(String commit, RepositoryFile file) {
    return hasSize(snapshot(commit).resolve(file.path()), file.size());
  }

  /** Whether the blob is here, whole: blobs get their name once they have been verified. */
  boolean hasBlob(RepositoryFile file) {
    return hasSize(blob(file), file.size());
  }

  /** How much of the blob must still be fetched. */
  long bytesToCome(RepositoryFile file) {
    try {
      return file.size() - Math.min(Files.size(partial(file)), file.size());
    } catch (IOException _) {
      return file.size();
    }
  }

  private static boolean hasSize(Path path, long size) {
    try {
      return Files.isRegularFile(path) && Files.size(path) == size;
    } catch (IOException _) {
      return false;
    }
  }

  /** Puts the file's blob, which is here, into the commit's snapshot. */
  void link(String commit, RepositoryFile file) {
    var blob = blob(file);
    var pointer = snapshot(commit).resolve(file.path());
    try {
      Files.createDirectories(pointer.getParent());
      var temporary = pointer.resolveSibling("." + UUID.randomUUID() + ".tmp");
      try {
        Files.createSymbolicLink(temporary, pointer.getParent().relativize(blob));
        Files.move(temporary, pointer, StandardCopyOption.ATOMIC_MOVE);
      } catch (UnsupportedOperationException | IOException e) {
        // A file system without links, such as exFAT: the file itself goes into the snapshot, as
        // Python's tools do.
        LOG.debug("{} cannot be a link: {}", pointer, e.toString());
        Files.deleteIfExists(temporary);
        Files.move(blob, pointer, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw failed("write", pointer, e);
    }
  }

  /**
   * What a snapshot that is used without asking the hub lacks; empty if it can be used. Where
   * Python's tools left the commit's list of files, that is what must be there; otherwise config,
   * all shards and a tokenizer.
   */
  List<String> missing(String commit, FileSelection parts) {
    var path = snapshot(commit);
    if (!Files.isDirectory(path)) {
      return List.of("everything");
    }
    var known = listing(commit);
    if (known.isPresent()) {
      return parts.of(repository, known.get()).stream()
          .filter(FileSelection::isEssential)
          .filter(file -> !has(commit, file))
          .map(RepositoryFile::path)
          .toList();
    }
    var snapshot = new CheckpointFolder(path);
    var missing = new ArrayList<String>();
    if (!snapshot.has(CheckpointFolder.CONFIG)) {
      missing.add(CheckpointFolder.CONFIG);
    }
    if (!snapshot.hasTokenizer()) {
      missing.add("the tokenizer");
    }
    if (parts == FileSelection.WHOLE) {
      missing.addAll(snapshot.missingWeights());
    }
    return missing;
  }

  /**
   * {@code trees/COMMIT.json}, which newer versions of huggingface_hub keep: path to size, blob_id,
   * lfs_sha256.
   */
  private Optional<List<RepositoryFile>> listing(String commit) {
    var tree = folder.resolve("trees").resolve(commit + ".json");
    if (!Files.isRegularFile(tree)) {
      return Optional.empty();
    }
    try {
      var root = JsonMapper.shared().readTree(tree.toFile());
      if (root.path("format_version").asInt(0) != 1) {
        return Optional.empty();
      }
      var files = new ArrayList<RepositoryFile>();
      for (var entry : root.path("files").properties()) {
        var file = entry.getValue();
        var etag = file.path("lfs_sha256").asString(file.path("blob_id").asString(""));
        var size = file.path("lfs_size").asLong(file.path("size").asLong(-1));
        files.add(new RepositoryFile(entry.getKey(), size, etag));
      }
      return Optional.of(files);
    } catch (JacksonException | HubException.Corrupt e) {
      LOG.warn("{} is not understood and ignored: {}", tree, e.getMessage());
      return Optional.empty();
    }
  }

  private static HubException.Storage failed(String verb, Path path, IOException e) {
    return new HubException.Storage("Could not %s %s: %s".formatted(verb, path, e), e);
  }
}
