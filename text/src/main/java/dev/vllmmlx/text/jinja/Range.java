package dev.vllmmlx.text.jinja;

import java.math.BigInteger;
import java.util.AbstractList;

/** A Python range; its length is bounded when it is made. */
final class Range extends AbstractList<Object> {
  private final long start;
  private final long stop;
  private final long step;
  private final int size;

  /** {@code size} as counted by {@link #count}. */
  Range(long start, long stop, long step, int size) {
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.size = size;
  }

  /** How many items there are; at most {@code Long.MAX_VALUE}. */
  static long count(long start, long stop, long step) {
    if (step > 0 ? start >= stop : start <= stop) {
      return 0;
    }
    var distance = BigInteger.valueOf(stop).subtract(BigInteger.valueOf(start)).abs();
    var stepSize = BigInteger.valueOf(step).abs();
    var count = distance.subtract(BigInteger.ONE).divide(stepSize).add(BigInteger.ONE);
    return count.bitLength() > 63 ? Long.MAX_VALUE : count.longValue();
  }

  @Override
  public Object get(int index) {
    return start + index * step;
  }

  @Override
  public int size() {
    return size;
  }

  /** {@code start}, {@code stop} or {@code step}. */
  Object bound(String name) {
    return switch (name) {
      case "start" -> start;
      case "stop" -> stop;
      default -> step;
    };
  }

  String repr() {
    return step == 1
        ? "range(" + start + ", " + stop + ")"
        : "range(" + start + ", " + stop + ", " + step + ")";
  }

  Range slice(int from, int to, int sliceStep, int length) {
    return new Range(start + from * step, start + to * step, step * sliceStep, length);
  }
}
