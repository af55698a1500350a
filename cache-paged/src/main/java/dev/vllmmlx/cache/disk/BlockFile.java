package dev.vllmmlx.cache.disk;

import dev.vllmmlx.cache.Prefix;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.CRC32C;

/**
 * What is in a block's file: a head, the block's bytes, and a CRC-32C over both. The head says
 * everything that the bytes depend on, so that whoever reads knows each byte of it beforehand: a
 * file is taken if it begins with exactly the head that is wanted, has exactly the right size, and
 * its checksum holds.
 *
 * <p>The head, all numbers big-endian: {@value #MAGIC} (8 bytes), SHA-256 over the lineage (32),
 * the keys of the block before and of the block (16 each), tokens of a block (4), bytes of a block
 * (8), count of all tokens from position 0 to the block's end (4), those tokens (4 each).
 *
 * @param blockSize tokens of a block
 * @param blockBytes bytes of a block
 */
record BlockFile(int blockSize, int blockBytes) {

  /** Of this format; another gets another. */
  private static final String MAGIC = "VMLXKV01";

  private static final int FIXED = 8 + 32 + 2 * 16 + 4 + 8 + 4;
  private static final int CHECKSUM = 4;

  /** A file that is not the one that was wanted. */
  static final class Unusable extends IOException {
    private static final long serialVersionUID = 1;

    Unusable(String message) {
      super(message);
    }
  }

  /** Bytes of the file of a prefix. */
  long size(Prefix prefix) {
    return FIXED + 4L * prefix.length() + blockBytes + CHECKSUM;
  }

  /** What the file of a prefix begins with. */
  ByteBuffer head(Prefix prefix) {
    var head = ByteBuffer.allocate(FIXED + Integer.BYTES * prefix.length());
    head.put(MAGIC.getBytes(StandardCharsets.US_ASCII));
    head.put(lineage(prefix));
    head.putLong(prefix.parent().high()).putLong(prefix.parent().low());
    head.putLong(prefix.key().high()).putLong(prefix.key().low());
    head.putInt(blockSize).putLong(blockBytes).putInt(prefix.length());
    for (var i = 0; i < prefix.length(); i++) {
      head.putInt(prefix.tokens()[i]);
    }
    return head.flip();
  }

  /** Each string with its length before it, so that no two lineages are the same bytes. */
  private static byte[] lineage(Prefix prefix) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      var lineage = prefix.lineage();
      for (var part : new String[] {lineage.model(), lineage.adapter(), lineage.tenant()}) {
        var bytes = part.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        digest.update(bytes);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** Writes a whole file; both buffers are read from where they stand, and stand there after it. */
  void write(FileChannel file, ByteBuffer head, ByteBuffer bytes) throws IOException {
    var checksum = checksum(head, bytes);
    var parts = new ByteBuffer[] {head.duplicate(), bytes.duplicate(), checksum};
    while (checksum.hasRemaining()) {
      file.write(parts);
    }
  }

  /**
   * Reads a file.
   *
   * @param into gets the block's bytes; has room for as many
   * @throws Unusable if it is not whole, or of another prefix; {@code into} holds anything then
   */
  void read(FileChannel file, Prefix prefix, ByteBuffer into) throws IOException {
    if (file.size() != size(prefix)) {
      throw new Unusable("it has %d bytes, not %d".formatted(file.size(), size(prefix)));
    }
    var wanted = head(prefix);
    var head = ByteBuffer.allocate(wanted.remaining());
    var bytes = into.slice(into.position(), blockBytes);
    var checksum = ByteBuffer.allocate(CHECKSUM);
    var parts = new ByteBuffer[] {head, bytes, checksum};
    while (checksum.hasRemaining()) {
      if (file.read(parts) < 0) {
        throw new EOFException("it became shorter while it was read");
      }
    }
    head.flip();
    if (!head.equals(wanted)) {
      throw new Unusable("it holds %s".formatted(difference(head, wanted)));
    }
    if (!checksum(head, bytes.flip()).equals(checksum.flip())) {
      throw new Unusable("its checksum does not hold");
    }
  }

  private static String difference(ByteBuffer head, ByteBuffer wanted) {
    var at = head.mismatch(wanted);
    return at < MAGIC.length()
        ? "something else, or a later format"
        : at < MAGIC.length() + 32 ? "blocks of another model or tenant" : "another block";
  }

  private static ByteBuffer checksum(ByteBuffer head, ByteBuffer bytes) {
    var crc = new CRC32C();
    crc.update(head.duplicate());
    crc.update(bytes.duplicate());
    return ByteBuffer.allocate(CHECKSUM).putInt((int) crc.getValue()).flip();
  }
}
