package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.mcp.McpMode;
import dev.vllmmlx.gateway.mcp.McpTools;
import dev.vllmmlx.mcp.McpBridge;
import dev.vllmmlx.mcp.config.McpConfig;
import dev.vllmmlx.mcp.config.McpConfigException;
import dev.vllmmlx.mcp.config.McpConfigReader;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/** {@code --mcp-config} and {@code --mcp-mode}. */
final class McpOptions {

  @Option(
      names = "--mcp-config",
      paramLabel = "FILE",
      description =
          "MCP servers whose tools the model gets, as an mcp.json or .yaml of any MCP client"
              + " (default: none).")
  Path config;

  @Option(
      names = "--mcp-mode",
      paramLabel = "MODE",
      converter = ModeOption.class,
      description =
          "auto: their tools join chats, and calls of them are run here; inject: they join, and calls"
              + " go to the client; off: chats get none, /v1/mcp works (default: auto).")
  McpMode mode;

  /** What the options say, read and found good. */
  record Chosen(McpConfig config, McpMode mode) {

    /** Starts the servers, without waiting for any. */
    McpTools start() {
      return new McpTools(McpBridge.start(config, System.getenv(), (_, _, _, _, _) -> {}), mode);
    }
  }

  /**
   * Reads the file.
   *
   * @return empty when there is none to read
   * @throws ParameterException naming file, server and key
   */
  Optional<Chosen> read(CommandLine command) {
    if (config == null) {
      if (mode != null) {
        throw new ParameterException(command, "--mcp-mode says nothing without --mcp-config");
      }
      return Optional.empty();
    }
    try {
      var read = new McpConfigReader(System.getenv()).read(config);
      return Optional.of(new Chosen(read, mode == null ? McpMode.AUTO : mode));
    } catch (McpConfigException e) {
      throw new ParameterException(command, "--mcp-config: " + e.getMessage(), e);
    }
  }

  /** Reads a mode. */
  static final class ModeOption implements ITypeConverter<McpMode> {
    @Override
    public McpMode convert(String text) {
      for (var mode : McpMode.values()) {
        if (mode.text().equals(text.toLowerCase(Locale.ROOT))) {
          return mode;
        }
      }
      throw new TypeConversionException("\"%s\" is not auto, inject or off".formatted(text));
    }
  }
}
