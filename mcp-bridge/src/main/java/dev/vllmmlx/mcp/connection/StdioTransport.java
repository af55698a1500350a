package dev.vllmmlx.mcp.connection;

import dev.vllmmlx.mcp.config.Endpoint;
import io.modelcontextprotocol.json.McpJsonMapper;
import io.modelcontextprotocol.json.TypeRef;
import io.modelcontextprotocol.spec.McpClientTransport;
import io.modelcontextprotocol.spec.McpSchema;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCMessage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * A child process as MCP's stdio transport: a message is a line. The SDK's own transport hands our
 * whole environment down, does not say when the child ends, stops for good at one line that is no
 * JSON, and leaves grandchildren behind; hence this one.
 */
final class StdioTransport implements McpClientTransport {
  private static final Logger LOG = LoggerFactory.getLogger(StdioTransport.class);
  private static final String END = ""; // No message is empty.
  private static final int MOST_WAITING = 1_000;
  private static final int MOST_BAD_LINES = 100;
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final ProcessFamily family = new ProcessFamily();
  private final Process process;
  private final McpJsonMapper json;
  private final int mostBytes;
  private final ServerLog log;
  private final Consumer<String> lost;
  private final BlockingQueue<String> outgoing = new LinkedBlockingQueue<>(MOST_WAITING);
  private final AtomicBoolean ended = new AtomicBoolean();

  /**
   * Starts the process.
   *
   * @param inherited our own environment, of which the child gets what {@link ChildEnvironment}
   *     says
   * @param mostBytes a longer message ends the connection
   * @param log gets the lines of its standard error
   * @param lost told once, and why, if the connection ends without being closed
   * @throws IOException if it cannot be started
   */
  StdioTransport(
      Endpoint.Stdio endpoint,
      Map<String, String> inherited,
      McpJsonMapper json,
      int mostBytes,
      ServerLog log,
      Consumer<String> lost)
      throws IOException {
    this.json = json;
    this.mostBytes = mostBytes;
    this.log = log;
    this.lost = lost;
    var command = new ArrayList<String>();
    command.add(endpoint.command());
    command.addAll(endpoint.args());
    var builder = new ProcessBuilder(command);
    endpoint.folder().ifPresent(folder -> builder.directory(folder.toFile()));
    builder.environment().clear();
    builder.environment().putAll(ChildEnvironment.of(inherited, endpoint.environment()));
    this.process = family.start(builder);
  }

  long pid() {
    return process.pid();
  }

  @Override
  public Mono<Void> connect(Function<Mono<JSONRPCMessage>, Mono<JSONRPCMessage>> handler) {
    return Mono.fromRunnable(
        () -> {
          thread("out", this::write);
          var errors = thread("err", this::readErrors);
          thread("in", () -> read(handler, errors));
        });
  }

  @Override
  public Mono<Void> sendMessage(JSONRPCMessage message) {
    return Mono.fromRunnable(
        () -> {
          try {
            // Jackson escapes line ends, so that the text is one line.
            if (!outgoing.offer(json.writeValueAsString(message))) {
              throw new IllegalStateException("the server does not read what it is sent");
            }
          } catch (IOException e) {
            throw new IllegalStateException("the message cannot be written as JSON", e);
          }
        });
  }

  @Override
  public <T> T unmarshalFrom(Object data, TypeRef<T> type) {
    return json.convertValue(data, type);
  }

  @Override
  public Mono<Void> closeGracefully() {
    return Mono.fromRunnable(this::close);
  }

  /** Ends the process and all that came of it; returns when none is left. */
  @Override
  public void close() {
    ended.set(true);
    end();
  }

  private void end() {
    // The writer closes the stream: a well-behaved server ends by itself when nobody speaks to it.
    outgoing.clear();
    outgoing.add(END);
    try {
      process.waitFor(PATIENCE.toMillis() / 4, TimeUnit.MILLISECONDS);
      family.end(PATIENCE);
    } catch (InterruptedException _) {
      family.members().forEach(ProcessHandle::destroyForcibly);
      Thread.currentThread().interrupt();
    }
  }

  private void read(Function<Mono<JSONRPCMessage>, Mono<JSONRPCMessage>> handler, Thread errors) {
    var lines = new LineReader(process.getInputStream(), mostBytes);
    var bad = 0;
    try {
      for (var line = lines.read(); line != null; line = lines.read()) {
        if (line.isBlank()) {
          continue;
        }
        var message = parse(line);
        if (message == null) {
          if (++bad >= MOST_BAD_LINES) {
            lose("sent %d lines that are no messages".formatted(bad));
            return;
          }
          continue;
        }
        handler
            .apply(Mono.just(message))
            .subscribe(_ -> {}, e -> LOG.warn("a message could not be handled", e));
      }
      lose(ending(errors));
    } catch (IOException e) {
      lose(e.getMessage());
    }
  }

  private JSONRPCMessage parse(String line) {
    try {
      return McpSchema.deserializeJsonRpcMessage(json, line);
    } catch (IOException | RuntimeException e) {
      // Programs that print to their standard output by mistake are common.
      log.line("(no MCP message) " + line.substring(0, Math.min(line.length(), 200)));
      LOG.debug("not a message", e);
      return null;
    }
  }

  private String ending(Thread errors) {
    try {
      if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        return "closed its output";
      }
      // Its last words; a grandchild may keep the stream open.
      errors.join(PATIENCE.dividedBy(4));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
    var said = log.lastLines();
    return "ended with status %d%s"
        .formatted(process.exitValue(), said.isEmpty() ? "" : ", saying: " + said);
  }

  private void write() {
    try (var out = process.getOutputStream()) {
      for (var text = outgoing.take(); !text.equals(END); text = outgoing.take()) {
        out.write((text + "\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
      }
    } catch (IOException _) {
      // The reader sees the end too, and knows more about it.
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void readErrors() {
    var lines = new LineReader(process.getErrorStream(), 1 << 16);
    while (true) {
      try {
        var line = lines.read();
        if (line == null) {
          return;
        }
        log.line(line);
      } catch (LineReader.TooLong _) {
        log.line("(a line that is too long)");
      } catch (IOException _) {
        return;
      }
    }
  }

  private void lose(String why) {
    if (ended.compareAndSet(false, true)) {
      lost.accept(why);
    }
  }

  // Platform threads: reading a pipe would hold a virtual thread's carrier.
  private Thread thread(String what, Runnable work) {
    return Thread.ofPlatform()
        .daemon()
        .name("mcp-%s-%d".formatted(what, process.pid()))
        .start(work);
  }
}
