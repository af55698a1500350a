package dev.vllmmlx.text.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * Where a folder may keep chat templates. Later ones replace earlier ones of the same name: {@code
 * chat_template.json} (processors' files), {@code chat_template} of tokenizer_config.json (text, or
 * a list of named ones), {@code chat_template.jinja}, {@code additional_chat_templates/NAME.jinja}.
 */
record ChatTemplateFiles(Path folder, JsonNode config) {

  ChatTemplates read() {
    var named = new LinkedHashMap<String, String>();
    var json = folder.resolve("chat_template.json");
    if (Files.isRegularFile(json)) {
      add(TokenizerFolder.parse(json, TokenizerFolder.text(json)).path("chat_template"), named);
    }
    add(config.path("chat_template"), named);
    var single = folder.resolve("chat_template.jinja");
    if (Files.isRegularFile(single)) {
      named.put(ChatTemplates.DEFAULT, source(single));
    }
    addFolder(folder.resolve("additional_chat_templates"), named);
    return new ChatTemplates(named);
  }

  private static void add(JsonNode value, Map<String, String> named) {
    if (value.isString()) {
      named.put(ChatTemplates.DEFAULT, value.asString());
    } else if (value.isArray()) {
      value.forEach(
          each -> named.put(each.path("name").asString(""), each.path("template").asString("")));
    } else {
      value.properties().forEach(entry -> named.put(entry.getKey(), entry.getValue().asString("")));
    }
  }

  private static void addFolder(Path folder, Map<String, String> named) {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (var files = Files.list(folder)) {
      files
          .filter(file -> file.toString().endsWith(".jinja"))
          .sorted()
          .forEach(
              file -> {
                var name = file.getFileName().toString();
                named.put(name.substring(0, name.length() - ".jinja".length()), source(file));
              });
    } catch (IOException e) {
      throw new TokenizerException("%s cannot be read: %s".formatted(folder, e), e);
    }
  }

  /** Python reads text files with every kind of line end as a line feed. */
  private static String source(Path file) {
    return TokenizerFolder.text(file).replace("\r\n", "\n").replace('\r', '\n');
  }
}
