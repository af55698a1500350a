package dev.vllmmlx.cache.disk;

import dev.vllmmlx.cache.BlockKey;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The files of blocks in a folder that several processes may share. A file is named by the keys of
 * its block and of the one before, appears whole by a rename, and is never changed: so nobody needs
 * a lock, and two who write the same block write the same file. Whatever else is in the folder is
 * left alone.
 *
 * <p>Beyond the limit those files go that were used longest ago, of those that no other follows:
 * what is left can be reached from its beginning. When a file was used, its modification time says.
 * Files are for their owner's eyes alone, for they hold what users wrote.
 *
 * <p>{@link #has} and {@link #open} are for any thread; the rest is for one.
 */
final class BlockFolder {
  private static final Pattern NAME = Pattern.compile("([0-9a-f]{32})-([0-9a-f]{32})\\.kv");
  private static final String PARTIAL = ".part";

  /** A partial file that has not been written to for so long is nobody's. */
  private static final Duration ABANDONED = Duration.ofMinutes(10);

  /** What others have written is seen after the limit's 20th part was written here. */
  private static final int SCANS_PER_LIMIT = 20;

  /** Of the limit, what is left by an eviction, so that not every file takes one. */
  private static final double LEFT = 0.9;

  private final Path folder;
  private final long limit;
  private final FileAttribute<?>[] ownersAlone;
  private long partials;
  private long writtenSinceScan;
  private volatile Usage usage = new Usage(0, 0, 0);

  /**
   * Makes the folder where it is not there, and looks what is in it.
   *
   * @param limit bytes of all its files
   * @throws IOException if it cannot be written to
   */
  BlockFolder(Path folder, long limit) throws IOException {
    this.folder = folder;
    this.limit = limit;
    this.ownersAlone = permissions(folder, "rw-------");
    make(folder);
    Files.delete(Files.createFile(partial(), ownersAlone));
    evictTo(limit);
  }

  /** Makes the folder where it is not there, for its owner alone. */
  static void make(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(folder, permissions(folder, "rwx------"));
    }
  }

  private static FileAttribute<?>[] permissions(Path folder, String text) {
    return folder.getFileSystem().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text))
        }
        : new FileAttribute<?>[0];
  }

  /**
   * What there is, as far as it is known here.
   *
   * @param files of blocks
   * @param bytes of these
   * @param evictions files that went because of the limit, since the start
   */
  record Usage(long files, long bytes, long evictions) {}

  Usage usage() {
    return usage;
  }

  boolean has(BlockKey parent, BlockKey key) {
    return Files.exists(file(parent, key));
  }

  /** Whether a file is there and has the size that it should have. */
  boolean has(BlockKey parent, BlockKey key, long size) {
    try {
      return Files.size(file(parent, key)) == size;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Opens a file to read it.
   *
   * @throws NoSuchFileException if it is not there
   */
  FileChannel open(BlockKey parent, BlockKey key) throws IOException {
    return FileChannel.open(file(parent, key), StandardOpenOption.READ);
  }

  /** Where the file of a block is. */
  Path file(BlockKey parent, BlockKey key) {
    return folder.resolve(key + "-" + parent + ".kv");
  }

  /** A file's contents. */
  interface Contents {
    void write(FileChannel file) throws IOException;
  }

  /** Writes a file, after others had to make room for it. */
  void write(BlockKey parent, BlockKey key, long size, Contents contents) throws IOException {
    if (usage.bytes() + size > limit || writtenSinceScan > limit / SCANS_PER_LIMIT) {
      evictTo(limit - size);
    }
    var partial = partial();
    try {
      try (var file =
          FileChannel.open(
              partial,
              Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              ownersAlone)) {
        contents.write(file);
      }
      Files.move(partial, file(parent, key), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(partial);
    }
    writtenSinceScan += size;
    usage = new Usage(usage.files() + 1, usage.bytes() + size, usage.evictions());
  }

  private Path partial() {
    return folder.resolve(
        "%d-%s-%d%s"
            .formatted(
                ProcessHandle.current().pid(),
                Integer.toHexString(System.identityHashCode(this)),
                partials++,
                PARTIAL));
  }

  /** The block was of use just now. */
  void touch(BlockKey parent, BlockKey key) throws IOException {
    try {
      Files.setLastModifiedTime(file(parent, key), FileTime.from(Instant.now()));
    } catch (NoSuchFileException e) {
      // Evicted by another process meanwhile.
    }
  }

  /** Removes a file that is of no use. */
  void delete(BlockKey parent, BlockKey key) throws IOException {
    Files.deleteIfExists(file(parent, key));
  }

  private record Entry(Path path, String parent, long size, FileTime used) {}

  /** Looks what there is, and if that is more than {@code most} bytes, evicts. */
  private void evictTo(long most) throws IOException {
    var entries = scan();
    var all = entries.size();
    var left = entries.values().stream().mapToLong(Entry::size).sum();
    if (left > most) {
      left = evict(entries, left, (long) Math.min(most, LEFT * limit));
    }
    writtenSinceScan = 0;
    usage = new Usage(entries.size(), left, usage.evictions() + all - entries.size());
  }

  private long evict(Map<String, Entry> entries, long all, long most) throws IOException {
    var followers = new HashMap<String, Integer>();
    entries.values().forEach(entry -> followers.merge(entry.parent(), 1, Integer::sum));
    var last =
        new PriorityQueue<Map.Entry<String, Entry>>(
            Comparator.comparing(entry -> entry.getValue().used()));
    for (var entry : entries.entrySet()) {
      if (!followers.containsKey(entry.getKey())) {
        last.add(entry);
      }
    }
    var left = all;
    while (left > most && !last.isEmpty()) {
      var gone = last.remove();
      Files.deleteIfExists(gone.getValue().path());
      left -= gone.getValue().size();
      var parent = gone.getValue().parent();
      entries.remove(gone.getKey());
      if (followers.merge(parent, -1, Integer::sum) == 0 && entries.containsKey(parent)) {
        last.add(Map.entry(parent, entries.get(parent)));
      }
    }
    return left;
  }

  /** The files by the keys of their blocks. What a process that is gone left half-written goes. */
  private Map<String, Entry> scan() throws IOException {
    var entries = new HashMap<String, Entry>();
    for (var path : list()) {
      var name = path.getFileName().toString();
      var match = NAME.matcher(name);
      var of = attributes(path);
      if (of.isEmpty() || !of.get().isRegularFile()) {
        continue;
      }
      var used = of.get().lastModifiedTime();
      if (match.matches()) {
        entries.put(match.group(1), new Entry(path, match.group(2), of.get().size(), used));
      } else if (name.endsWith(PARTIAL)
          && used.toInstant().isBefore(Instant.now().minus(ABANDONED))) {
        Files.deleteIfExists(path);
      }
    }
    return entries;
  }

  private List<Path> list() throws IOException {
    try (var stream = Files.newDirectoryStream(folder)) {
      var all = new ArrayList<Path>();
      stream.forEach(all::add);
      return all;
    }
  }

  private static Optional<BasicFileAttributes> attributes(Path path) throws IOException {
    try {
      return Optional.of(Files.readAttributes(path, BasicFileAttributes.class));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }
}
