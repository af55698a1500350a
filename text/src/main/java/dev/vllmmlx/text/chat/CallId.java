package dev.vllmmlx.text.chat;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.regex.Pattern;

/**
 * The id of a call as a template takes it. Mistral's refuse any but nine letters and digits; a
 * client may come with ids of any kind, of this server or of another one.
 */
final class CallId {
  private static final int LENGTH = 9;
  private static final Pattern SHORT = Pattern.compile("[A-Za-z0-9]{" + LENGTH + "}");
  private static final int RADIX = 36;

  private CallId() {}

  /** The same for the same id, so that a result still names its call. */
  static String of(String id, MessageShape shape) {
    return shape.shortIds() && !SHORT.matcher(id).matches() ? digest(id) : id;
  }

  private static String digest(String id) {
    try {
      var bytes = MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
      return new BigInteger(1, bytes).toString(RADIX).substring(0, LENGTH);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has it", e);
    }
  }
}
