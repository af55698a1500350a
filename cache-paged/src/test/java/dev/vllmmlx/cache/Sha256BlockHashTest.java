package dev.vllmmlx.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import org.junit.jupiter.api.Test;

class Sha256BlockHashTest {
  private final BlockHash hash = new Sha256BlockHash();

  /** Made by Python's hashlib from the bytes that the class describes. */
  @Test
  void isTheSameInEveryProcess() {
    var root = hash.root(new Lineage("model@abc", "", "tenant ü"));
    assertThat(root).hasToString("4d5a8108829b07428235404aa019e440");
    assertThat(hash.next(root, new int[] {9, 1, 2, -3, 70_000, 9}, 1, 4))
        .hasToString("49b6c7975318ffbb7163b6c6aaa13e1e");
  }

  @Test
  void tellsLineagesOfTheSameLettersApart() {
    var keys = new HashSet<BlockKey>();
    keys.add(hash.root(new Lineage("ab", "c", "")));
    keys.add(hash.root(new Lineage("a", "bc", "")));
    keys.add(hash.root(new Lineage("a", "b", "c")));
    keys.add(hash.root(new Lineage("", "abc", "")));
    keys.add(hash.root(new Lineage("abc", "", "")));
    assertThat(keys).hasSize(5);
  }

  @Test
  void dependsOnWhatCameBefore() {
    var root = hash.root(new Lineage("model", "", ""));
    var tokens = new int[] {1, 2, 3, 4};
    var ab = hash.next(hash.next(root, tokens, 0, 2), tokens, 2, 2);
    var b = hash.next(root, tokens, 2, 2);
    assertThat(ab).isNotEqualTo(b);
  }
}
