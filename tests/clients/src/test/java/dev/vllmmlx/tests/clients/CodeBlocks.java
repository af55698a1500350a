package dev.vllmmlx.tests.clients;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The fenced blocks of a Markdown file, in one language. */
final class CodeBlocks {
  private CodeBlocks() {}

  static List<String> of(Path file, String language) throws IOException {
    var blocks = new ArrayList<String>();
    StringBuilder open = null;
    for (var line : Files.readAllLines(file)) {
      if (open == null && line.equals("```" + language)) {
        open = new StringBuilder();
      } else if (open != null && line.equals("```")) {
        blocks.add(open.toString());
        open = null;
      } else if (open != null) {
        open.append(line).append('\n');
      }
    }
    return blocks;
  }
}
