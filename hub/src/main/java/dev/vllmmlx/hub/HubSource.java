package dev.vllmmlx.hub;

import dev.vllmmlx.hub.ModelReference.HubModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a repository of the hub into the cache. The hub is asked where the revision stands today;
 * if it cannot be asked, what was fetched before is used, provided that it is whole.
 */
final class HubSource {
  private static final Logger LOG = LoggerFactory.getLogger(HubSource.class);
  private static final int FILES_AT_ONCE = 4;

  private final HubSettings settings;
  private final Backoff backoff;
  private final DiskSpace disk;

  HubSource(HubSettings settings, Backoff backoff, DiskSpace disk) {
    this.settings = settings;
    this.backoff = backoff;
    this.disk = disk;
  }

  /** The snapshot's folder, or the GGUF file in it. */
  Path resolve(HubModel model, FileSelection parts, Progress progress) {
    var cache = new HubCache(settings.cache(), model.repository());
    var cached = new Cached(cache, model, parts);
    var path = cached.path();
    if (path.isPresent() && HubApi.isCommit(model.revision())) {
      return path.get();
    }
    if (settings.offline()) {
      return path.orElseThrow(
          () -> new HubException.NotCached(cached.lack("HF_HUB_OFFLINE is set.")));
    }
    try {
      return download(cache, model, parts, path.isPresent() ? Backoff.NONE : backoff, progress);
    } catch (HubException.Unreachable e) {
      LOG.debug("The hub could not be used", e);
      if (path.isEmpty()) {
        throw new HubException.Unreachable(cached.lack(e.getMessage()), e);
      }
      LOG.warn("{} Using {} as it was fetched before.", e.getMessage(), model.id());
      return path.get();
    } catch (HubException.AccessDenied | HubException.NotFound e) {
      if (path.isEmpty()) {
        throw e;
      }
      LOG.warn("{} Using {} as it was fetched before.", e.getMessage(), model.id());
      return path.get();
    }
  }

  private Path download(
      HubCache cache, HubModel model, FileSelection parts, Backoff listing, Progress progress) {
    try (var http = new HubHttp(settings)) {
      var api = new HubApi(settings, http);
      var repository = api.list(model, listing);
      var files = wanted(model, parts, repository);
      var commit = repository.commit();
      if (!files.stream().allMatch(file -> cache.has(commit, file))) {
        var busy = "Waiting for another process that downloads " + model.repository();
        try (var _ = FileLease.acquire(cache.lockFile(), () -> progress.note(busy))) {
          fetch(api, cache, model, commit, files, progress);
        }
      }
      cache.rememberCommit(model.revision(), commit);
      var snapshot = cache.snapshot(commit);
      return model.file().map(snapshot::resolve).orElse(snapshot);
    }
  }

  private static List<RepositoryFile> wanted(
      HubModel model, FileSelection parts, HubApi.Listing repository) {
    if (model.file().isEmpty()) {
      return parts.of(model.repository(), repository.files());
    }
    var name = model.file().get();
    var found = repository.files().stream().filter(file -> file.path().equals(name)).toList();
    if (found.isEmpty()) {
      var gguf =
          repository.files().stream()
              .map(RepositoryFile::path)
              .filter(path -> path.endsWith(".gguf"))
              .toList();
      throw new HubException.NotFound(
          "%s has no file '%s' at revision '%s'. Its GGUF files: %s."
              .formatted(
                  model.repository(),
                  name,
                  model.revision(),
                  gguf.isEmpty() ? "none" : String.join(", ", gguf)));
    }
    return found;
  }

  /** Under the lease: whatever another process brought in the meantime is not fetched again. */
  private void fetch(
      HubApi api,
      HubCache cache,
      HubModel model,
      String commit,
      List<RepositoryFile> files,
      Progress progress) {
    var absent = files.stream().filter(file -> !cache.has(commit, file)).toList();
    var blobs =
        absent.stream()
            .filter(file -> !cache.hasBlob(file))
            .collect(Collectors.toMap(RepositoryFile::etag, f -> f, (a, _) -> a))
            .values();
    if (!blobs.isEmpty()) {
      disk.require(cache.blobs(), blobs.stream().mapToLong(cache::bytesToCome).sum());
      progress.planned(
          model.id(), blobs.size(), blobs.stream().mapToLong(RepositoryFile::size).sum());
      try {
        var download =
            new FileDownload(
                api, cache, model, commit, settings.timeout(), backoff, disk, progress);
        inParallel(blobs.stream().<Runnable>map(file -> () -> download.fetch(file)).toList());
      } finally {
        progress.ended();
      }
    }
    absent.forEach(file -> cache.link(commit, file));
  }

  /**
   * Runs all, a few at a time; the first failure stops the others and is thrown when they have
   * ended.
   */
  private static void inParallel(List<Runnable> tasks) {
    var places = new Semaphore(FILES_AT_ONCE);
    HubException.Interrupted interrupted = null;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var completion = new ExecutorCompletionService<Void>(threads);
      for (var task : tasks) {
        completion.submit(
            () -> {
              places.acquire();
              try {
                task.run();
              } finally {
                places.release();
              }
              return null;
            });
      }
      try {
        for (var _ : tasks) {
          completion.take().get();
        }
      } catch (ExecutionException e) {
        threads.shutdownNow();
        throw e.getCause() instanceof RuntimeException known
            ? known
            : new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        threads.shutdownNow();
        interrupted = new HubException.Interrupted("Interrupted while downloading.", e);
      }
    }
    if (interrupted != null) {
      throw interrupted;
    }
  }

  /** What the cache has of a model, without a question to the hub. */
  private record Cached(HubCache cache, HubModel model, FileSelection parts) {

    Optional<Path> path() {
      return cache.commitOf(model.revision()).filter(c -> missing(c).isEmpty()).map(this::path);
    }

    private Path path(String commit) {
      var snapshot = cache.snapshot(commit);
      return model.file().map(snapshot::resolve).orElse(snapshot);
    }

    private List<String> missing(String commit) {
      if (model.file().isEmpty()) {
        return cache.missing(commit, parts);
      }
      var present = Files.isRegularFile(path(commit));
      return present ? List.of() : List.of(model.file().get());
    }

    /** Why there is nothing to serve, for the message of an error. */
    String lack(String whyNoDownload) {
      var commit = cache.commitOf(model.revision());
      var state =
          commit.isEmpty()
              ? "is not in the cache"
              : "is not whole in the cache (%s is missing)"
                  .formatted(String.join(", ", missing(commit.get())));
      return "%s at revision '%s' %s %s, and it cannot be downloaded: %s"
          .formatted(model.id(), model.revision(), state, cache.folder(), whyNoDownload);
    }
  }
}
