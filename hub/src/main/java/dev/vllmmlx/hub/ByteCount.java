package dev.vllmmlx.hub;

import java.util.Locale;

/** Sizes for people: decimal units, as disks and download pages count. */
final class ByteCount {
  private static final String[] UNITS = {"kB", "MB", "GB", "TB"};

  private ByteCount() {}

  /** Such as {@code 512 B}, {@code 98.4 MB}, {@code 1.21 GB}. */
  static String text(long bytes) {
    if (bytes < 1000) {
      return bytes + " B";
    }
    var value = bytes / 1000.0;
    var unit = 0;
    while (value >= 999.95 && unit < UNITS.length - 1) {
      value /= 1000;
      unit++;
    }
    var digits = unit >= 2 ? 2 : 1;
    return String.format(Locale.ROOT, "%." + digits + "f %s", value, UNITS[unit]);
  }
}
