package dev.vllmmlx.mlx.sequence;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The strings that end an answer, as an automaton that reads text once, whatever their number (Aho
 * and Corasick, 1975). Immutable; {@link #matcher} begins a text.
 *
 * <p>The string whose last character comes first ends the text; of several that end there, the
 * longest, so that nothing of any is left before it. It reads code points, so a cut is never inside
 * a character.
 */
public final class StopStrings {

  /** A prefix of one or more of the strings. */
  static final class Node {
    final Map<Integer, Node> next = new HashMap<>();

    /** UTF-16 units of the prefix. */
    final int length;

    /** The longest proper suffix of this prefix that is a prefix of a string as well. */
    Node fallback;

    /** The longest string that this prefix ends with; null if none. */
    String ending;

    Node(int length) {
      this.length = length;
    }
  }

  private final Node root = new Node(0);

  /**
   * @param strings none empty
   */
  public StopStrings(List<String> strings) {
    for (var string : strings) {
      var node = root;
      for (var codePoint : string.codePoints().toArray()) {
        var parent = node;
        node =
            parent.next.computeIfAbsent(
                codePoint, c -> new Node(parent.length + Character.charCount(c)));
      }
      node.ending = string;
    }
    linkFallbacks();
  }

  /** Breadth first: a node's fallback is shorter than the node. */
  private void linkFallbacks() {
    root.fallback = root;
    var open = new ArrayDeque<>(List.of(root));
    while (!open.isEmpty()) {
      var node = open.remove();
      node.next.forEach(
          (codePoint, child) -> {
            child.fallback = node == root ? root : advance(node.fallback, codePoint);
            if (child.ending == null) {
              child.ending = child.fallback.ending;
            }
            open.add(child);
          });
    }
  }

  /** The longest prefix of a string that {@code node}'s with the code point after it ends with. */
  Node advance(Node node, int codePoint) {
    var from = node;
    while (true) {
      var next = from.next.get(codePoint);
      if (next != null) {
        return next;
      }
      if (from == root) {
        return root;
      }
      from = from.fallback;
    }
  }

  Node root() {
    return root;
  }

  /** A matcher at the beginning of a text. */
  public StopMatcher matcher() {
    return new StopMatcher(this);
  }
}
