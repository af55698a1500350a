package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.FinishReason;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdleConnectionsTest {
  private static final Duration IDLE = Duration.ofMillis(600);
  private static final String GET = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";

  private final ScriptedEngine engine = new ScriptedEngine();
  private final TestServer server =
      new TestServer(engine, settings -> settings.with(settings.times().withIdle(IDLE)));

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "GET /health HTT", GET, GET + GET})
  void closesAConnectionOnWhichNothingIsAsked(String sent) throws IOException {
    try (var socket = server.connect()) {
      send(socket, sent);
      var began = System.nanoTime();
      // To the end of the stream: the server's, since this side closes nothing.
      var answers = socket.getInputStream().readAllBytes();
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .isBetween(Duration.ofMillis(200), Duration.ofSeconds(8));
      assertThat(new String(answers, StandardCharsets.UTF_8).split("HTTP/1.1 200 ", -1))
          .hasSize(sent.split("GET .* HTTP/1.1\r", -1).length);
    }
  }

  @Test
  void keepsOneOnWhichSomethingIsAskedNowAndThen() throws Exception {
    try (var socket = server.connect()) {
      for (var i = 0; i < 8; i++) {
        send(socket, GET);
        readAnswer(socket);
        Thread.sleep(150);
      }
    }
  }

  @Test
  void keepsOneOnWhichAnAnswerIsUnderWay() throws Exception {
    try (var socket = server.connect()) {
      var chat = TestServer.wire(CHAT, "{'messages':[{'role':'user','content':'x'}]}");
      socket.getOutputStream().write(chat);
      var choice = engine.asked(0).started(1, 0);
      Thread.sleep(2 * IDLE.toMillis());
      choice.text("at last").finish(FinishReason.STOP);
      assertThat(readAnswer(socket)).contains("at last");
    }
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String readAnswer(Socket socket) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      var c = socket.getInputStream().read();
      assertThat(c).as("closed after " + head).isNotNegative();
      head.append((char) c);
    }
    var length = head.toString().toLowerCase().split("content-length: ")[1].split("\r")[0];
    return new String(
        socket.getInputStream().readNBytes(Integer.parseInt(length)), StandardCharsets.UTF_8);
  }
}
