package dev.vllmmlx.text.tokenizer;

import java.util.Set;
import java.util.TreeSet;

/**
 * Which ids end a generation. The union of
 *
 * <ol>
 *   <li>what the checkpoint's files declare: {@code eos_token} of the tokenizer's files, {@code
 *       eos_token_id} (one or a list) of generation_config.json and config.json, and the eos, eot
 *       and eom ids of a GGUF file;
 *   <li>well-known ends of a turn or text that the vocabulary marks as special: chat models are
 *       published whose declared end is the base model's.
 * </ol>
 *
 * <p>An exception is {@code <|end|>} beside {@code <|return|>}: in the harmony format (gpt-oss) it
 * ends one message of several, so there it counts only when it is declared.
 */
final class EndTokens {
  private static final Set<String> WELL_KNOWN =
      Set.of(
          "<|eot_id|>",
          "<|eom_id|>",
          "<|end_of_text|>",
          "<|im_end|>",
          "<|endoftext|>",
          "<end_of_turn>",
          "<turn|>",
          "<|end|>",
          "<|return|>",
          "<|call|>",
          "<|end_of_turn|>",
          "<\uFF5Cend\u2581of\u2581sentence\uFF5C>",
          "<|END_OF_TURN_TOKEN|>",
          "<end_of_utterance>",
          "<EOT>",
          "[EOT]");

  private EndTokens() {}

  /**
   * @param declared ids the files declare
   */
  static Set<Integer> of(
      Vocabulary vocabulary, SpecialTokens specialTokens, Set<Integer> declared) {
    var ends = new TreeSet<>(declared);
    specialTokens.eos().ifPresent(token -> vocabulary.idOf(token).ifPresent(ends::add));
    var harmony = vocabulary.idOf("<|return|>").isPresent();
    for (var token : WELL_KNOWN) {
      if (!(harmony && token.equals("<|end|>"))) {
        vocabulary.idOf(token).stream().filter(vocabulary::isSpecial).forEach(ends::add);
      }
    }
    return ends;
  }
}
