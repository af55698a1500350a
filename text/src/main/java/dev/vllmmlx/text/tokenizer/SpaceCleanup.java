package dev.vllmmlx.text.tokenizer;

import java.util.ArrayList;
import java.util.List;

/**
 * Takes out the spaces that word-splitting tokenizers leave before punctuation and English
 * contractions: a fixed list of replacements, each made over the whole text before the next.
 */
enum SpaceCleanup {
  /** transformers' {@code clean_up_tokenization_spaces}. */
  WHOLE_TEXT(false),
  /** The WordPiece decoder's {@code cleanup}, made on each token. */
  WORD_PIECE(true);

  private final List<String[]> replacements = new ArrayList<>();

  SpaceCleanup(boolean doNot) {
    for (var text : List.of(".", "?", "!", ",")) {
      replacements.add(new String[] {" " + text, text});
    }
    replacements.add(new String[] {" ' ", "'"});
    replacements.add(new String[] {" n't", "n't"});
    replacements.add(new String[] {" 'm", "'m"});
    if (doNot) {
      replacements.add(new String[] {" do not", " don't"});
    }
    for (var text : List.of("'s", "'ve", "'re")) {
      replacements.add(new String[] {" " + text, text});
    }
  }

  String clean(String text) {
    for (var replacement : replacements) {
      text = text.replace(replacement[0], replacement[1]);
    }
    return text;
  }

  /** Cleans a stream: text is passed on up to the last place that no replacement can span. */
  DecoderStep.Pieces into(DecoderStep.Pieces next) {
    return new DecoderStep.Pieces() {
      private final StringBuilder held = new StringBuilder();
      private int searched = 1;

      @Override
      public void take(String piece) {
        held.append(piece);
        var cut = lastCut();
        if (cut > 0) {
          next.take(clean(held.substring(0, cut)));
          held.delete(0, cut);
        }
        searched = Math.max(1, held.length() - 1);
      }

      @Override
      public void end() {
        next.take(clean(held.toString()));
        next.end();
      }

      private int lastCut() {
        for (var at = held.length(); at >= searched; at--) {
          if (isCut(at)) {
            return at;
          }
        }
        return 0;
      }

      /**
       * All that is replaced begins with a space and is at most four long, and an inner space
       * follows an apostrophe: so between a word's end and the next word's start, or inside a long
       * word.
       */
      private boolean isCut(int at) {
        if (at >= 3 && held.lastIndexOf(" ", at - 1) < at - 3) {
          return true;
        }
        return at + 1 < held.length()
            && held.charAt(at) == ' '
            && " .?!,'".indexOf(held.charAt(at + 1)) < 0
            && " '".indexOf(held.charAt(at - 1)) < 0;
      }
    };
  }
}
