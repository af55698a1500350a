package dev.vllmmlx.hub;

import dev.vllmmlx.hub.Backoff.Passing;
import dev.vllmmlx.hub.ModelReference.HubModel;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings one file of a repository into the cache's blobs. A broken connection is taken up where it
 * broke, also by a later process; what does not match its digest is thrown away and fetched once
 * more.
 */
final class FileDownload {
  private static final Logger LOG = LoggerFactory.getLogger(FileDownload.class);
  private static final int CHUNK = 1 << 16;
  private static final int ATTEMPTS_AT_CHECKSUM = 2;

  private final HubApi api;
  private final HubCache cache;
  private final HubModel model;
  private final String commit;
  private final Duration timeout;
  private final Backoff backoff;
  private final DiskSpace disk;
  private final Progress progress;

  FileDownload(
      HubApi api,
      HubCache cache,
      HubModel model,
      String commit,
      Duration timeout,
      Backoff backoff,
      DiskSpace disk,
      Progress progress) {
    this.api = api;
    this.cache = cache;
    this.model = model;
    this.commit = commit;
    this.timeout = timeout;
    this.backoff = backoff;
    this.disk = disk;
    this.progress = progress;
  }

  /** Fetches the file's blob, which is not here; the caller holds the repository's lease. */
  void fetch(RepositoryFile file) {
    for (var i = 0; i < ATTEMPTS_AT_CHECKSUM; i++) {
      if (attempt(file)) {
        return;
      }
    }
    throw new HubException.Corrupt(
        "%s of %s has the wrong checksum, %d times: expected %s. It was thrown away; the hub, or something on the way to it, is at fault."
            .formatted(file.path(), model.repository(), ATTEMPTS_AT_CHECKSUM, file.etag()));
  }

  /** False if all bytes came, but wrong ones; they are gone then. */
  private boolean attempt(RepositoryFile file) {
    var path = cache.partial(file);
    try (var partial = new PartialFile(path, file)) {
      progress.fileStarted(file.path(), file.size(), partial.position());
      fill(partial, file);
      if (!partial.verifies()) {
        LOG.warn("{} has the wrong checksum", file.path());
        progress.advanced(file.path(), -partial.position());
        Files.deleteIfExists(path);
        return false;
      }
      partial.moveTo(cache.blob(file));
      progress.fileDone(file.path());
      return true;
    } catch (IOException e) {
      throw unwritable(path, file, e);
    }
  }

  private void fill(PartialFile partial, RepositoryFile file) throws IOException {
    var failures = 0;
    while (!partial.isFull()) {
      var before = partial.position();
      try {
        receive(partial, file);
      } catch (Passing e) {
        // Bytes came, so the hub is well: only failures in a row count.
        failures = partial.position() > before ? 1 : failures + 1;
        LOG.debug("{} broke off at byte {}: {}", file.path(), partial.position(), e.getMessage());
        backoff.waitAfter(failures, e);
      }
    }
  }

  private void receive(PartialFile partial, RepositoryFile file) throws Passing, IOException {
    var response = api.open(model, commit, file, partial.position());
    try (var body = new StallGuard(response.body(), timeout)) {
      if (!continuesAt(response, partial.position())) {
        // A server that does not do parts, or not this one: from the beginning, then.
        startOver(partial, file);
        if (response.statusCode() != 200) {
          throw new Passing(
              "The hub did not continue %s where it broke off.".formatted(file.path()));
        }
      }
      var buffer = new byte[CHUNK];
      for (var count = read(body, buffer, file); count >= 0; count = read(body, buffer, file)) {
        if (count > partial.room()) {
          startOver(partial, file);
          throw new Passing(
              "%s is longer than the %d bytes that the hub promised."
                  .formatted(file.path(), file.size()));
        }
        partial.append(buffer, count);
        progress.advanced(file.path(), count);
      }
    }
    if (!partial.isFull()) {
      throw new Passing(
          "%s broke off at byte %d of %d.".formatted(file.path(), partial.position(), file.size()));
    }
  }

  private void startOver(PartialFile partial, RepositoryFile file) throws IOException {
    progress.advanced(file.path(), -partial.position());
    partial.restart();
  }

  /** Reading fails for the network's reasons, writing for the disk's: only the first may pass. */
  private int read(InputStream body, byte[] buffer, RepositoryFile file) throws Passing {
    try {
      return body.read(buffer);
    } catch (IOException e) {
      if (Thread.interrupted()) {
        throw new HubException.Interrupted("Interrupted while fetching " + file.path() + ".", e);
      }
      throw new Passing("%s broke off: %s.".formatted(file.path(), HubHttp.reason(e)), e);
    }
  }

  private static boolean continuesAt(HttpResponse<?> response, long position) {
    return response.statusCode() == 206
        && response
            .headers()
            .firstValue("Content-Range")
            .filter(range -> range.startsWith("bytes " + position + "-"))
            .isPresent();
  }

  private HubException unwritable(Path path, RepositoryFile file, IOException e) {
    long usable = -1;
    long missing = file.size();
    try {
      usable = disk.usableBytes(path.getParent());
      missing -= Math.min(Files.size(path), missing);
    } catch (IOException _) {
      // Then the error itself must tell.
    }
    var words = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    if (words.contains("no space left")
        || words.contains("quota")
        || (usable >= 0 && usable < missing)) {
      return DiskSpace.full(path.getParent(), missing, usable, e);
    }
    return new HubException.Storage(
        "%s could not be written: %s".formatted(path, HubHttp.reason(e)), e);
  }
}
