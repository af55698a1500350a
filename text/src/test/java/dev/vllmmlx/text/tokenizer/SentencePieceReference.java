package dev.vllmmlx.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * SentencePiece's BPE as its paper tells it, slow and plain: while any two neighbours make a piece,
 * join those that make the best one, the first of equals. Characters that are no piece are bytes.
 *
 * @param ids of normal pieces and byte pieces
 * @param scores of normal pieces
 */
record SentencePieceReference(Map<String, Integer> ids, Map<String, Float> scores) {

  List<Integer> encode(String text) {
    if (text.isEmpty()) {
      return List.of();
    }
    var pieces = new ArrayList<String>();
    ("\u2581" + text.replace(' ', '\u2581'))
        .codePoints()
        .forEach(point -> pieces.add(Character.toString(point)));
    for (var best = best(pieces); best >= 0; best = best(pieces)) {
      pieces.set(best, pieces.get(best) + pieces.remove(best + 1));
    }
    var result = new ArrayList<Integer>();
    pieces.forEach(piece -> addIds(piece, result));
    return result;
  }

  private int best(List<String> pieces) {
    var best = -1;
    var bestScore = Float.NEGATIVE_INFINITY;
    for (var i = 0; i + 1 < pieces.size(); i++) {
      var score = scores.get(pieces.get(i) + pieces.get(i + 1));
      if (score != null && score > bestScore) {
        best = i;
        bestScore = score;
      }
    }
    return best;
  }

  private void addIds(String piece, List<Integer> result) {
    if (scores.containsKey(piece)) {
      result.add(ids.get(piece));
      return;
    }
    for (var b : piece.getBytes(StandardCharsets.UTF_8)) {
      result.add(ids.get("<0x%02X>".formatted(b)));
    }
  }
}
