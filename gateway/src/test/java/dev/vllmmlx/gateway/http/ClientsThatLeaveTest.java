package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.wire;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.FinishReason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClientsThatLeaveTest {
  private static final String MESSAGES = "'messages':[{'role':'user','content':'x'}]";

  private final ScriptedEngine engine = new ScriptedEngine();
  private final TestServer server =
      new TestServer(
          engine,
          settings ->
              settings.with(
                  settings.times().withStream(Duration.ofMillis(50), Duration.ofMillis(1000))));

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  @ParameterizedTest(name = "stream {0}, after {1} events")
  @CsvSource({"false, 0", "false, 2", "true, 0", "true, 2"})
  void cancelsEveryChoice(boolean stream, int events) throws IOException {
    try (var socket = server.connect()) {
      socket
          .getOutputStream()
          .write(wire(CHAT, "{'stream':%s,'n':3,%s}".formatted(stream, MESSAGES)));
      for (var i = 0; i < 3; i++) {
        var choice = engine.asked(i);
        for (var event = 0; event < events; event++) {
          if (event == 0) {
            choice.started(1, 0);
          } else {
            choice.text("a");
          }
        }
      }
    }
    var left = System.nanoTime();
    await()
        .atMost(Duration.ofSeconds(5))
        .pollInterval(Duration.ofMillis(1))
        .until(() -> engine.asked().stream().allMatch(ScriptedEngine.Asked::isCancelled));
    assertThat(engine.asked())
        .allSatisfy(
            choice ->
                assertThat(TimeUnit.NANOSECONDS.toMillis(choice.cancelledAt() - left))
                    .isLessThan(500));
    // Whatever the engine still says harms nobody.
    engine.asked(0).text("late").finish(FinishReason.STOP);
    engine.says("fine");
    assertThat(server.post(CHAT, "{%s}".formatted(MESSAGES)).statusCode()).isEqualTo(200);
  }

  @Test
  void aSlowReaderGetsFewerAndLongerChunksAndTheWholeText() throws Exception {
    var texts = 20_000;
    try (var socket = slowSocket()) {
      socket.getOutputStream().write(wire(CHAT, "{'stream':true,%s}".formatted(MESSAGES)));
      var choice = engine.asked(0);
      var began = System.nanoTime();
      choice.started(1, 0);
      var expected = new StringBuilder();
      for (var i = 0; i < texts; i++) {
        var text = ("token " + i + " ").repeat(80);
        expected.append(text);
        choice.text(text);
      }
      choice.finish(FinishReason.STOP);
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
      Thread.sleep(500);
      var body = readChunked(socket);
      var chunks =
          TestServer.events(body).stream()
              .filter(it -> !it.equals("[DONE]"))
              .map(TestServer.JSON::readTree)
              .toList();
      assertThat(body).endsWith("data: [DONE]\n\n");
      assertThat(StreamFold.of(chunks).text(0).contentEquals(expected)).isTrue();
      assertThat(chunks.size()).isLessThan(texts / 2);
    }
  }

  @Test
  void cutsOffAClientThatDoesNotRead() throws Exception {
    try (var socket = slowSocket()) {
      socket.getOutputStream().write(wire(CHAT, "{'stream':true,%s}".formatted(MESSAGES)));
      var choice = engine.asked(0).started(1, 0);
      await()
          .atMost(Duration.ofSeconds(20))
          .pollInterval(Duration.ofMillis(1))
          .until(
              () -> {
                choice.text("x".repeat(10_000));
                return choice.isCancelled();
              });
    }
  }

  @Test
  void cutsOffAClientThatDoesNotReadTheRest() throws Exception {
    try (var socket = slowSocket()) {
      socket.getOutputStream().write(wire(CHAT, "{'stream':true,%s}".formatted(MESSAGES)));
      var choice = engine.asked(0).started(1, 0);
      for (var i = 0; i < 2_000; i++) {
        choice.text("x".repeat(10_000));
      }
      choice.finish(FinishReason.STOP);
      var drained = server.gateway().drain(Duration.ofSeconds(30));
      await().atMost(Duration.ofSeconds(10)).until(drained::isComplete);
    }
  }

  @Test
  void breaksASilenceWithComments() throws Exception {
    var reply = server.postLater(CHAT, "{'stream':true,%s}".formatted(MESSAGES));
    var choice = engine.asked(0);
    Thread.sleep(180);
    choice.started(1, 0).text("a");
    Thread.sleep(180);
    choice.finish(FinishReason.STOP);
    var body = reply.join().body();
    assertThat(body).startsWith(": keep-alive\n\n");
    assertThat(body.split("\n\n")).filteredOn(it -> it.startsWith(":")).hasSizeBetween(3, 8);
    assertThat(StreamFold.of(TestServer.chunks(reply.join())).text(0)).isEqualTo("a");
  }

  private Socket slowSocket() throws IOException {
    var socket = new Socket();
    socket.setReceiveBufferSize(4096);
    socket.connect(new InetSocketAddress("127.0.0.1", server.gateway().port()));
    socket.setSoTimeout(10_000);
    return socket;
  }

  /** The body of a chunked reply. */
  private static String readChunked(Socket socket) throws IOException {
    var in = new java.io.BufferedInputStream(socket.getInputStream());
    String line;
    do {
      line = line(in);
    } while (!line.isEmpty());
    var body = new java.io.ByteArrayOutputStream();
    while (true) {
      var length = Integer.parseInt(line(in), 16);
      body.write(in.readNBytes(length));
      line(in);
      if (length == 0) {
        return body.toString(StandardCharsets.UTF_8);
      }
    }
  }

  private static String line(java.io.InputStream in) throws IOException {
    var line = new StringBuilder();
    for (var c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new IOException("the stream ended early");
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }
}
