package dev.vllmmlx.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Optional;

/** A file that grows until it is whole, and its digest that grows along. For one thread. */
final class PartialFile implements AutoCloseable {
  private static final int CHUNK = 1 << 20;

  private final Path path;
  private final RepositoryFile file;
  private final FileChannel channel;
  private Optional<MessageDigest> digest;
  private long position;

  /** Opens what an earlier attempt left, or a new file. */
  PartialFile(Path path, RepositoryFile file) throws IOException {
    this.path = path;
    this.file = file;
    this.digest = Checksum.of(file);
    Files.createDirectories(path.getParent());
    this.channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      takeUp();
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private void takeUp() throws IOException {
    if (channel.size() > file.size()) {
      restart();
      return;
    }
    var buffer = ByteBuffer.allocate(CHUNK);
    var size = channel.size();
    while (position < size && channel.read(buffer) >= 0) {
      position += buffer.position();
      digest.ifPresent(sum -> sum.update(buffer.array(), 0, buffer.position()));
      buffer.clear();
    }
  }

  /** Bytes that are here. */
  long position() {
    return position;
  }

  boolean isFull() {
    return position == file.size();
  }

  /** Bytes that may still come. */
  long room() {
    return file.size() - position;
  }

  void append(byte[] bytes, int length) throws IOException {
    var buffer = ByteBuffer.wrap(bytes, 0, length);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    digest.ifPresent(sum -> sum.update(bytes, 0, length));
    position += length;
  }

  /** Throws away what is here. */
  void restart() throws IOException {
    channel.truncate(0);
    channel.position(0);
    position = 0;
    digest = Checksum.of(file);
  }

  /**
   * Whether the digest of what is here is the one in the file's tag; call once, when it is full.
   */
  boolean verifies() {
    return digest.map(sum -> Checksum.hex(sum).equals(file.etag())).orElse(true);
  }

  /** Gives the verified content its final name, in one step and not before it is on the disk. */
  void moveTo(Path target) throws IOException {
    channel.force(true);
    channel.close();
    Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
