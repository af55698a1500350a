package dev.vllmmlx.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/** Python's {@code textwrap.wrap}, with tabs and white space left as they are. */
final class WordWrap {
  private static final String SPACE = "[\\t\\n\\x0b\\f\\r ]";
  private static final String WORD = "[\\w!\"'&.,?]";
  private static final String LETTER = "[^\\d\\W]";

  /** Words, with what may be broken after a hyphen, em-dashes and runs of space on their own. */
  private static final Pattern CHUNK =
      Pattern.compile(
          SPACE
              + "+|(?<="
              + WORD
              + ")-{2,}(?=\\w)|[^\\t\\n\\x0b\\f\\r ]+?(?:-(?:(?<="
              + LETTER
              + "{2}-)|(?<="
              + LETTER
              + "-"
              + LETTER
              + "-))(?="
              + LETTER
              + "-?"
              + LETTER
              + ")|(?="
              + SPACE
              + "|\\z)|(?<="
              + WORD
              + ")(?=-{2,}\\w))",
          Pattern.UNICODE_CHARACTER_CLASS);

  private static final Pattern SIMPLE = Pattern.compile(SPACE + "+|[^\\t\\n\\x0b\\f\\r ]+");

  private final int width;
  private final boolean breakLongWords;
  private final boolean breakOnHyphens;

  WordWrap(int width, boolean breakLongWords, boolean breakOnHyphens) {
    this.width = width;
    this.breakLongWords = breakLongWords;
    this.breakOnHyphens = breakOnHyphens;
  }

  List<String> wrap(String text) {
    if (width <= 0) {
      throw TemplateException.value("invalid width " + width + " (must be > 0)");
    }
    var chunks = new ArrayDeque<String>();
    var matcher = (breakOnHyphens ? CHUNK : SIMPLE).matcher(text);
    while (matcher.find()) {
      chunks.add(matcher.group());
    }
    var lines = new ArrayList<String>();
    while (!chunks.isEmpty()) {
      if (!lines.isEmpty() && chunks.peek().isBlank()) {
        chunks.poll();
        continue;
      }
      var line = line(chunks);
      if (!line.isEmpty()) {
        lines.add(line);
      }
    }
    return lines;
  }

  private String line(Deque<String> chunks) {
    var parts = new ArrayList<String>();
    int length = 0;
    while (!chunks.isEmpty() && length + PyStrings.length(chunks.peek()) <= width) {
      length += PyStrings.length(chunks.peek());
      parts.add(chunks.poll());
    }
    if (!chunks.isEmpty() && PyStrings.length(chunks.peek()) > width) {
      breakLongWord(chunks, parts, length);
    }
    if (!parts.isEmpty() && PyStrings.strip(parts.getLast(), null).isEmpty()) {
      parts.removeLast();
    }
    return String.join("", parts);
  }

  private void breakLongWord(Deque<String> chunks, List<String> parts, int length) {
    if (breakLongWords) {
      var chunk = chunks.poll();
      int room = width - length;
      int end = Math.max(1, room);
      if (breakOnHyphens && PyStrings.length(chunk) > room) {
        int limit = PyStrings.offset(chunk, Math.max(0, room));
        int hyphen = limit == 0 ? -1 : chunk.lastIndexOf('-', limit - 1);
        if (hyphen > 0 && chunk.substring(0, hyphen).chars().anyMatch(c -> c != '-')) {
          end = chunk.codePointCount(0, hyphen) + 1;
        }
      }
      int cut = PyStrings.offset(chunk, end);
      parts.add(chunk.substring(0, cut));
      if (cut < chunk.length()) {
        chunks.push(chunk.substring(cut));
      }
    } else if (parts.isEmpty()) {
      parts.add(chunks.poll());
    }
  }
}
