package dev.vllmmlx.gateway.mcp;

import dev.vllmmlx.mcp.McpBridge;
import dev.vllmmlx.mcp.config.McpConfigReader;
import dev.vllmmlx.mcp.connection.ConnectionLimits;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A bridge to real servers: the reference server for times, and the bridge's own odd one. */
public final class RealServers {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private RealServers() {}

  /**
   * Connects both, as {@code time} and {@code odd}, and one that is never there.
   *
   * @param folder for the configuration
   * @param change of the file, in which single quotes stand for double ones; merged into it
   */
  public static McpTools start(Path folder, McpMode mode, String change) {
    try {
      var python = python();
      var config = JSON.createObjectNode();
      var servers = config.putObject("mcpServers");
      servers
          .putObject("time")
          .put("command", python)
          .putArray("args")
          .add("-m")
          .add("mcp_server_time")
          .add("--local-timezone")
          .add("UTC");
      servers
          .putObject("odd")
          .put("command", python)
          .putArray("args")
          .add(root().resolve("mcp-bridge/src/test/python/odd_server.py").toString())
          .add("mark=" + folder.resolve("cancelled"));
      servers.putObject("gone").put("command", "/no/such/program");
      var merged = (ObjectNode) JSON.readerForUpdating(config).readValue(change.replace('\'', '"'));
      var file = Files.writeString(folder.resolve("mcp.json"), merged.toString());
      var bridge =
          McpBridge.start(
              new McpConfigReader(Map.of()).read(file),
              System.getenv(),
              ConnectionLimits.usual(),
              (_, _, _, _, _) -> {});
      if (!bridge.awaitSettled(Duration.ofSeconds(60))) {
        throw new IllegalStateException("the servers do not come up: " + bridge.servers());
      }
      return new McpTools(bridge, mode);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String python() throws IOException, InterruptedException {
    var process =
        new ProcessBuilder(root().resolve("testenv/venv").toString(), "mcp")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    var folder = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IllegalStateException("testenv/venv mcp failed");
    }
    return folder.strip() + "/bin/python";
  }

  private static Path root() {
    var folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("mvnw"))) {
      folder = folder.getParent();
    }
    return folder;
  }
}
