package dev.vllmmlx.text.jinja;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * A Python tuple.
 *
 * @param group whether it is one of {@code groupby}'s, whose items also have the names {@code
 *     grouper} and {@code list}
 */
record Tuple(List<Object> items, boolean group) {
  static Tuple of(Object... items) {
    return new Tuple(Collections.unmodifiableList(Arrays.asList(items)), false);
  }

  static Tuple of(List<Object> items) {
    return new Tuple(items, false);
  }
}
