package dev.vllmmlx.cache;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * SHA-256 (FIPS 180-4), cut to its first 128 bits. All numbers are big-endian.
 *
 * <ul>
 *   <li>root: byte 0, then model, adapter and tenant, each as its length (4 bytes) and its UTF-16
 *       code units (2 bytes each), so that no two lineages are the same bytes;
 *   <li>block: byte 1, the parent's key (16 bytes), the tokens (4 bytes each).
 * </ul>
 */
final class Sha256BlockHash implements BlockHash {
  private static final byte ROOT = 0;
  private static final byte BLOCK = 1;

  private final MessageDigest digest;

  Sha256BlockHash() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  @Override
  public BlockKey root(Lineage lineage) {
    digest.update(ROOT);
    update(lineage.model());
    update(lineage.adapter());
    update(lineage.tenant());
    return key();
  }

  @Override
  public BlockKey next(BlockKey parent, int[] tokens, int from, int count) {
    var bytes = ByteBuffer.allocate(1 + 2 * Long.BYTES + count * Integer.BYTES);
    bytes.put(BLOCK).putLong(parent.high()).putLong(parent.low());
    bytes.asIntBuffer().put(tokens, from, count);
    digest.update(bytes.array());
    return key();
  }

  private void update(String text) {
    var bytes = ByteBuffer.allocate(Integer.BYTES + text.length() * Character.BYTES);
    bytes.putInt(text.length());
    bytes.asCharBuffer().put(text);
    digest.update(bytes.array());
  }

  private BlockKey key() {
    var bytes = ByteBuffer.wrap(digest.digest());
    return new BlockKey(bytes.getLong(), bytes.getLong());
  }
}
