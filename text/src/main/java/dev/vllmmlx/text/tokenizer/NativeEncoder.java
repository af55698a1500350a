package dev.vllmmlx.text.tokenizer;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;

/**
 * Text to ids by Hugging Face's {@code tokenizers} (Rust, through DJL's JNI library), with
 * truncation and padding off. The native tokenizer is freed when this object is collected. Threads
 * may share it.
 *
 * <p>DJL unpacks its library once into {@code $DJL_CACHE_DIR}, or {@code ~/.djl.ai}.
 */
final class NativeEncoder {
  private static final Cleaner CLEANER = Cleaner.create();

  private final long handle;

  /**
   * @param json the text of a tokenizer.json
   * @throws TokenizerException with the library's words when it cannot read it
   */
  NativeEncoder(String json) {
    try {
      LibUtils.checkStatus();
      handle = TokenizersLibrary.LIB.createTokenizerFromString(json);
    } catch (RuntimeException e) {
      throw new TokenizerException("The tokenizer cannot be loaded: " + e.getMessage(), e);
    }
    var owned = handle;
    CLEANER.register(this, () -> TokenizersLibrary.LIB.deleteTokenizer(owned));
    TokenizersLibrary.LIB.disableTruncation(handle);
    TokenizersLibrary.LIB.disablePadding(handle);
  }

  /** Ids of {@code text}, which has no lone surrogate. */
  int[] encode(String text, boolean addSpecialTokens) {
    try {
      var encoding = TokenizersLibrary.LIB.encode(handle, text, addSpecialTokens);
      try {
        var ids = TokenizersLibrary.LIB.getTokenIds(encoding);
        var result = new int[ids.length];
        for (var i = 0; i < ids.length; i++) {
          result[i] = (int) ids[i];
        }
        return result;
      } finally {
        TokenizersLibrary.LIB.deleteEncoding(encoding);
      }
    } catch (RuntimeException e) {
      throw new TokenizerException("The text cannot be tokenized: " + e.getMessage(), e);
    } finally {
      Reference.reachabilityFence(this);
    }
  }
}
