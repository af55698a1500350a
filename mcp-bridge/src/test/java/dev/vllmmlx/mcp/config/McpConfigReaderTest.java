package dev.vllmmlx.mcp.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class McpConfigReaderTest {
  @TempDir Path folder;

  private McpConfig read(String name, String text) throws IOException {
    var file = Files.writeString(folder.resolve(name), text);
    return new McpConfigReader(Map.of("HOME", "/home/ann", "TOKEN", "s$ecret")).read(file);
  }

  private McpConfig json(String text) throws IOException {
    return read("mcp.json", text);
  }

  @Test
  void readsWhatClaudeDesktopWrites() throws IOException {
    var config =
        json(
            """
            {"mcpServers": {"files": {"command": "npx",
              "args": ["-y", "@modelcontextprotocol/server-filesystem", "/tmp"],
              "env": {"LEVEL": "3"}}}}
            """);

    assertThat(config.warnings()).isEmpty();
    assertThat(config.maxToolRounds()).isEqualTo(10);
    var server = config.servers().getFirst();
    assertThat(server.name()).isEqualTo("files");
    assertThat(server.endpoint())
        .isEqualTo(
            new Endpoint.Stdio(
                "npx",
                List.of("-y", "@modelcontextprotocol/server-filesystem", "/tmp"),
                Map.of("LEVEL", "3"),
                Optional.empty()));
    assertThat(server.runsUnasked("anything")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"mcpServers\": {\"a\": {\"command\": \"x\"}}}",
        "{\"servers\": {\"a\": {\"command\": \"x\", \"type\": \"stdio\"}}}",
        "{\"mcp\": {\"servers\": {\"a\": {\"command\": \"x\"}}}}",
        "{\"mcp.servers\": {\"a\": {\"command\": \"x\"}}}",
        "{ // of an editor\n \"servers\": {\"a\": {\"command\": \"x\",},},}"
      })
  void findsTheServersWhereverClientsPutThem(String text) throws IOException {
    assertThat(json(text).servers()).extracting(ServerConfig::name).containsExactly("a");
    assertThat(json(text).warnings()).isEmpty();
  }

  @Test
  void readsEveryKeyFromYaml() throws IOException {
    var config =
        read(
            "mcp.yml",
            """
            maxToolRounds: 4
            toolTimeout: 2.5
            policy:
              allowedTools: ["*__get_*"]
              blockedTools: ["*__drop_*"]
              allowedCommands: [uvx]
              maxResultChars: 1000
              callsPerMinute: 30
              callsPerRequest: 7
              redact: [pin]
            mcpServers:
              time:
                command: uvx
                args: [mcp-server-time, --port, 8080]
                env: {HOME_OF: "${HOME}/x", AUTH: "Bearer ${env:TOKEN}", MORE: "${NONE:-no}"}
                cwd: sub
                timeout: 5
                autoApprove: ["get_*"]
                allowedTools: [get_time, put_time]
                blockedTools: [put_*]
              far:
                url: https://example.org/mcp?x=1
                headers: {Authorization: "Bearer ${TOKEN}"}
                inject: false
                execute: none
              old:
                url: http://localhost:1/sse
                disabled: true
            """);

    assertThat(config.warnings()).isEmpty();
    assertThat(config.maxToolRounds()).isEqualTo(4);
    assertThat(config.toolTimeout()).isEqualTo(Duration.ofMillis(2500));
    var policy = config.policy();
    assertThat(policy.tools().allows("time__get_time")).isTrue();
    assertThat(policy.tools().allows("time__put_time")).isFalse();
    assertThat(policy.maxResultChars()).isEqualTo(1000);
    assertThat(policy.callsPerMinute()).hasValue(30);
    assertThat(policy.callsPerRequest()).isEqualTo(7);
    assertThat(policy.redacted()).containsExactly(new NamePattern("pin"));

    var time = config.servers().get(0);
    assertThat(time.endpoint())
        .isEqualTo(
            new Endpoint.Stdio(
                "uvx",
                List.of("mcp-server-time", "--port", "8080"),
                Map.of("HOME_OF", "/home/ann/x", "AUTH", "Bearer s$ecret", "MORE", "no"),
                Optional.of(folder.resolve("sub"))));
    assertThat(time.endpoint().toString()).doesNotContain("s$ecret");
    assertThat(time.timeout()).contains(Duration.ofSeconds(5));
    assertThat(time.runsUnasked("get_time")).isTrue();
    assertThat(time.runsUnasked("put_time")).isFalse();
    assertThat(time.tools().allows("put_time")).isFalse();

    var far = config.servers().get(1);
    assertThat(far.endpoint())
        .isEqualTo(
            new Endpoint.Http(
                URI.create("https://example.org/mcp?x=1"),
                Map.of("Authorization", "Bearer s$ecret"),
                Endpoint.Dialect.STREAMABLE));
    assertThat(far.endpoint().toString()).doesNotContain("s$ecret");
    assertThat(far.inject()).isFalse();
    assertThat(far.runsUnasked("x")).isFalse();

    var old = config.servers().get(2);
    assertThat(old.disabled()).isTrue();
    assertThat(old.endpoint().type()).isEqualTo("sse");
  }

  @Test
  void warnsAboutKeysItDoesNotKnow() throws IOException {
    var config =
        json(
            """
            {"inputs": [], "mcpServers": {"a": {"command": "x", "icon": "i"}},
             "policy": {"maxResultChar": 3}}
            """);

    assertThat(config.warnings())
        .containsExactlyInAnyOrder(
            folder + "/mcp.json: inputs is not known and ignored",
            folder + "/mcp.json: server \"a\": icon is not known and ignored",
            folder + "/mcp.json: policy: maxResultChar is not known and ignored");
  }

  @Test
  void warnsWhereNoCallWouldRunUnasked() throws IOException {
    assertThat(json("{\"servers\": {\"a\": {\"command\": \"x\", \"autoApprove\": []}}}").warnings())
        .singleElement()
        .asString()
        .contains("\"a\"", "autoApprove is empty");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"a": {}}                                              | command: or url is missing
          {"a": {"command": "x", "url": "http://h"}}             | command: and url exclude
          {"a": {"command": " "}}                                | command: is blank
          {"a": {"command": ["x"]}}                              | command: must be a string, not a list
          {"a": {"command": 5}}                                  | command: must be a string, not 5
          {"a": {"command": "x", "cwd": 5}}                      | cwd: must be a string, not 5
          {"a": {"url": true}}                                   | url: must be a string, not true
          {"a": {"command": "x", "allowedTools": ["y", 5]}}      | allowedTools[1]: must be a string, not 5
          {"a": {"command": "x", "args": "y"}}                   | args: must be a list of strings
          {"a": {"command": "x", "args": ["y", {}]}}             | args[1]: must be a string, not an object
          {"a": {"command": "x", "env": {"K": []}}}              | env.K: must be a string
          {"a": {"command": "x", "env": {"K": "${NO_SUCH}"}}}    | env.K: the environment variable NO_SUCH is not set
          {"a": {"command": "x", "args": ["${input:key}"]}}      | args[0]: only ${NAME} and ${env:NAME} are known
          {"a": {"command": "x", "type": "sse"}}                 | type: "sse" needs url
          {"a": {"url": "http://h", "type": "stdio"}}            | type: "stdio" needs command
          {"a": {"url": "http://h", "type": "pigeon"}}           | type: is stdio, streamable-http or sse
          {"a": {"url": "ftp://h"}}                              | url: must be http
          {"a": {"url": "http://a b"}}                           | url: is no URL
          {"a": {"url": "http://h", "headers": "x"}}             | headers: must be an object, not a string
          {"a": {"command": "x", "timeout": 0}}                  | timeout: must be above 0
          {"a": {"command": "x", "timeout": 90000}}              | timeout: must be above 0 and at most a day, in seconds
          {"a": {"command": "x", "timeout": "5"}}                | timeout: must be a number of seconds
          {"a": {"command": "x", "disabled": "no"}}              | disabled: must be true or false
          {"a": {"command": "x", "execute": "sometimes"}}        | execute: is auto or none
          {"a": "x"}                                             | must be an object, not a string
          """)
  void namesFileServerAndKeyOfWhatIsWrong(String servers, String message) {
    assertThatThrownBy(() -> json("{\"mcpServers\": " + servers + "}"))
        .isInstanceOf(McpConfigException.class)
        .hasMessageContaining("mcp.json: server \"a\": ")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource({"command: 8080, 8080", "command: true, true", "url: 1.5, 1.5"})
  void aNumberOfYamlIsNoCommand(String line, String found) {
    assertThatThrownBy(() -> read("mcp.yaml", "servers:\n  a:\n    " + line + "\n"))
        .hasMessageContaining("mcp.yaml: server \"a\": " + line.substring(0, line.indexOf(':')))
        .hasMessageContaining("must be a string, not " + found);
  }

  @Test
  void refusesACommandThatThePolicyDoesNotAllow() {
    assertThatThrownBy(
            () ->
                json(
                    """
                    {"policy": {"allowedCommands": ["npx", "/opt/mcp/*"]},
                     "servers": {"good": {"command": "/opt/mcp/x"}, "bad": {"command": "/tmp/npx"}}}
                    """))
        .hasMessageContaining("server \"bad\": command: \"/tmp/npx\" is not among");
  }

  @Test
  void asksNothingOfAServerThatIsDisabled() throws IOException {
    var config =
        json(
            """
            {"policy": {"allowedCommands": []}, "servers":
              {"a": {"command": "x", "env": {"K": "${NO_SUCH}"}, "disabled": true}}}
            """);
    assertThat(config.servers().getFirst().disabled()).isTrue();
  }

  @Test
  void refusesFilesThatAreNoConfiguration() {
    assertThatThrownBy(() -> json("{\"x\": 1}")).hasMessageContaining("has no servers");
    assertThatThrownBy(() -> json("[1]")).hasMessageContaining("must be an object, not a list");
    assertThatThrownBy(() -> json("{\n\"a\" 1}")).hasMessageContaining("mcp.json: line 2: ");
    assertThatThrownBy(() -> json("")).hasMessageContaining("is empty");
    assertThatThrownBy(() -> read("a.yaml", "a: [")).hasMessageContaining("a.yaml: line ");
    assertThatThrownBy(() -> json("{\"servers\": {\"a\": {}, \"a\": {}}}"))
        .hasMessageContaining("\"a\"");
    assertThatThrownBy(
            () ->
                json(
                    "{\"servers\": {\"a\": {\"command\": \"x\"}},"
                        + " \"mcpServers\": {\"a\": {\"command\": \"x\"}}}"))
        .hasMessageContaining("server \"a\" is there twice");
    assertThatThrownBy(() -> new McpConfigReader(Map.of()).read(folder.resolve("none.json")))
        .hasMessageContaining("none.json: cannot be read: there is no such file");
  }
}
