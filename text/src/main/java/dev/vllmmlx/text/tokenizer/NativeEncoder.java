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
 * <p>DJL unpacks its library once into {@code $DJL_CACHE_DIR}, or {@code ~/.djl.ai}. A process can
 * load it in one class loader only.
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
      loadLibrary();
      handle = TokenizersLibrary.LIB.createTokenizerFromString(json);
    } catch (RuntimeException e) {
      throw new TokenizerException("The tokenizer cannot be loaded: " + e.getMessage(), e);
    }
    var owned = handle;
    CLEANER.register(this, () -> TokenizersLibrary.LIB.deleteTokenizer(owned));
    TokenizersLibrary.LIB.disableTruncation(handle);
    TokenizersLibrary.LIB.disablePadding(handle);
  }

  /**
   * The library is looked for through the thread's class loader, which may be a plugin's that
   * cannot see it. And where there is an NVIDIA card DJL would go to the network for another build
   * of it.
   */
  private static void loadLibrary() {
    if (System.getenv("RUST_FLAVOR") == null && System.getProperty("RUST_FLAVOR") == null) {
      System.setProperty("RUST_FLAVOR", "cpu");
    }
    var thread = Thread.currentThread();
    var loader = thread.getContextClassLoader();
    thread.setContextClassLoader(NativeEncoder.class.getClassLoader());
    try {
      LibUtils.checkStatus();
    } finally {
      thread.setContextClassLoader(loader);
    }
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
