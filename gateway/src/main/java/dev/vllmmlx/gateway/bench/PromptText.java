package dev.vllmmlx.gateway.bench;

import java.util.SplittableRandom;

/**
 * Prompts of a wanted length, made of plain words by a seed. How many tokens a word is differs from
 * model to model: {@link #calibrate} learns it from what a server counted.
 */
final class PromptText {
  private static final String[] WORDS =
      """
      the of and a to in he was that his it had with as for they on at be this from have by one but not what all were
      when we there can an your which their said if will each about how up out them then she many some so these would
      other into has more her two like him see time could no make than first been its who now people my made over did
      down only way find use may water long little very after words called just where most know get through back much
      before go good new write our used me man too any day same right look think also around another came come work
      three must because does part even place well such here take why things help put years different away again off
      went old number great tell men say small every found still between name should home big give air line set own
      under read last never us left end along while might next sound below saw something thought both few those always
      looked show large often together asked house world going want school important until form food keep children
      """
          .strip()
          .split("\\s+");

  private final long seed;
  private final int promptTokens;
  private final double sharedPrefix;
  private volatile double tokensPerWord = 1.05;
  private volatile int overhead;

  PromptText(long seed, int promptTokens, double sharedPrefix) {
    this.seed = seed;
    this.promptTokens = promptTokens;
    this.sharedPrefix = sharedPrefix;
  }

  /** The prompt of a number: the same number gives the same text. */
  String of(int number) {
    var words = (int) Math.max(1, Math.round((promptTokens - overhead) / tokensPerWord));
    var shared = (int) Math.round(words * sharedPrefix);
    var text = new StringBuilder();
    append(text, new SplittableRandom(seed), shared);
    append(text, new SplittableRandom(seed * 31 + number + 1), words - shared);
    return text.toString().strip();
  }

  /** So many words, for a server to count. */
  String sample(int words) {
    var text = new StringBuilder();
    append(text, new SplittableRandom(seed - 1), words);
    return text.toString().strip();
  }

  /**
   * Learns from two texts how many tokens a word is, and how many a prompt has beside its words.
   */
  void calibrate(int fewWords, int fewTokens, int manyWords, int manyTokens) {
    tokensPerWord = Math.max(0.1, (double) (manyTokens - fewTokens) / (manyWords - fewWords));
    overhead = (int) Math.max(0, Math.round(fewTokens - fewWords * tokensPerWord));
  }

  private static void append(StringBuilder text, SplittableRandom random, int words) {
    for (var i = 0; i < words; i++) {
      text.append(WORDS[random.nextInt(WORDS.length)]).append(' ');
    }
  }
}
