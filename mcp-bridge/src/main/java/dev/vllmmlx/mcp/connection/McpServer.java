package dev.vllmmlx.mcp.connection;

import dev.vllmmlx.mcp.config.ServerConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server of the configuration, kept connected: what fails is tried again, after longer and longer
 * waits, until {@link #close}. A virtual thread of its own looks after it; all methods may be
 * called by any thread.
 */
public final class McpServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(McpServer.class);
  private static final Duration STEADY = Duration.ofSeconds(30);
  private static final Duration PING = Duration.ofSeconds(10);
  private static final Duration BETWEEN_LISTS = Duration.ofMillis(250);

  private final ServerConfig config;
  private final Map<String, String> environment;
  private final ConnectionLimits limits;
  private final Runnable changed;
  private final ServerLog log;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final CountDownLatch settled = new CountDownLatch(1);
  private final Thread keeper;
  private volatile ServerStatus status;
  private volatile Optional<Connection> connection = Optional.empty();
  private boolean interruptible;
  private boolean closed;

  private sealed interface Event {
    record ListChanged() implements Event {}

    record Doubtful(String why) implements Event {}

    record Lost(String why) implements Event {}
  }

  /**
   * Starts to connect, without waiting for it; a disabled server stays as it is.
   *
   * @param environment our own variables, of which a child gets the least
   * @param changed told after each change of {@link #status}; must not wait
   */
  public McpServer(
      ServerConfig config,
      Map<String, String> environment,
      ConnectionLimits limits,
      Runnable changed) {
    this.config = config;
    this.environment = Map.copyOf(environment);
    this.limits = limits;
    this.changed = changed;
    this.log = new ServerLog(config.name());
    this.status = status(ServerState.CONNECTING, Optional.empty(), Optional.empty(), 0);
    this.keeper = Thread.ofVirtual().name("mcp-" + config.name()).unstarted(this::keep);
  }

  /** To be called once, after which {@code changed} may be. */
  public void start() {
    if (config.disabled()) {
      status = status(ServerState.DISABLED, Optional.empty(), Optional.empty(), 0);
      settled.countDown();
    } else {
      keeper.start();
    }
  }

  public ServerConfig config() {
    return config;
  }

  public ServerStatus status() {
    return status;
  }

  /** Waits until the first attempt to connect has succeeded or failed. */
  public boolean awaitSettled(Duration patience) throws InterruptedException {
    return settled.await(patience.toMillis(), TimeUnit.MILLISECONDS);
  }

  /**
   * Calls a tool; does not wait.
   *
   * @param token names the call for {@link #cancel}
   * @return fails with a {@link ConnectionException}
   */
  public CompletableFuture<ToolReply> call(
      String tool, Map<String, Object> arguments, String token, ProgressListener progress) {
    return connection
        .map(open -> open.call(tool, arguments, token, progress))
        .orElseGet(
            () ->
                CompletableFuture.failedFuture(
                    new ConnectionException(
                        "the server is not connected"
                            + status.reason().map(why -> ": " + why).orElse(""))));
  }

  /** Ends a call, whose future then fails, and tells the server that nobody waits for it. */
  public void cancel(String token, String reason) {
    connection.ifPresent(open -> open.cancel(token, reason));
  }

  private void keep() {
    var failures = 0;
    while (interruptible(true)) {
      set(status(ServerState.CONNECTING, status.reason(), Optional.empty(), status.starts()));
      var began = System.nanoTime();
      var why = connectAndServe();
      if (!interruptible(true)) {
        break;
      }
      failures = System.nanoTime() - began > STEADY.toNanos() ? 1 : failures + 1;
      try {
        waitAfter(failures, why);
      } catch (InterruptedException _) {
        break;
      }
    }
    set(status(ServerState.CLOSED, Optional.empty(), Optional.empty(), status.starts()));
    settled.countDown();
  }

  // Returns why the connection could not be made, or was lost.
  private String connectAndServe() {
    Connection open = null;
    String why;
    try {
      open = Connection.open(config, environment, limits, log, new Events());
      connection = Optional.of(open);
      list(open);
      LOG.info("{}: connected, {} tools", config.name(), status.tools().size());
      why = serve(open);
    } catch (ConnectionException e) {
      why = e.getMessage();
      LOG.debug("{}: {}", config.name(), why, e);
    } catch (InterruptedException _) {
      why = "is closed";
    } catch (RuntimeException e) {
      why = ConnectionException.reason(e);
      LOG.warn("{}: unexpected", config.name(), e);
    }
    // Ending a process takes a moment that close() shall not cut short.
    interruptible(false);
    connection = Optional.empty();
    if (open != null) {
      open.close(why);
    }
    return why;
  }

  // Whether to go on.
  private synchronized boolean interruptible(boolean now) {
    interruptible = now;
    if (!now) {
      Thread.interrupted();
    }
    return !closed;
  }

  // Until the connection is lost; returns why.
  private String serve(Connection open) throws InterruptedException, ConnectionException {
    while (true) {
      var event = events.poll(limits.check().toMillis(), TimeUnit.MILLISECONDS);
      switch (event) {
        case null -> checkQuiet(open);
        case Event.Lost(var why) -> {
          return why;
        }
        case Event.Doubtful(var why) -> {
          LOG.debug("{}: doubtful: {}", config.name(), why);
          open.ping(PING);
          events.removeIf(other -> other instanceof Event.Doubtful);
        }
        case Event.ListChanged _ -> {
          // Several changes at once are one, and a server that answers each list with a change is
          // not asked without a pause.
          Thread.sleep(BETWEEN_LISTS);
          events.removeIf(other -> other instanceof Event.ListChanged);
          list(open);
          LOG.info("{}: has {} tools now", config.name(), status.tools().size());
        }
      }
    }
  }

  // The end of a child is seen; that of a server elsewhere must be asked for.
  private static void checkQuiet(Connection open) throws InterruptedException, ConnectionException {
    if (open.pid().isEmpty()) {
      open.ping(PING);
    }
  }

  private void list(Connection open) throws InterruptedException, ConnectionException {
    var hello = open.hello();
    if (hello == null) {
      throw new ConnectionException("lost while its tools were listed");
    }
    var starts = status.state() == ServerState.READY ? status.starts() : status.starts() + 1;
    set(
        new ServerStatus(
            config.name(),
            config.endpoint().type(),
            ServerState.READY,
            Optional.empty(),
            status.state() == ServerState.READY ? status.since() : Instant.now(),
            Optional.empty(),
            starts,
            open.pid(),
            Optional.of(
                new ServerStatus.Self(
                    hello.serverInfo().name(),
                    hello.serverInfo().version(),
                    hello.protocolVersion())),
            open.tools(),
            open.resources(),
            open.prompts()));
    settled.countDown();
  }

  private void waitAfter(int failures, String why) throws InterruptedException {
    var doubled = limits.firstRetry().toMillis() << Math.min(failures - 1, 20);
    var capped = Math.min(doubled, limits.longestRetry().toMillis());
    // So that servers which failed together are not all tried at once.
    var wait = (long) (capped * ThreadLocalRandom.current().nextDouble(0.8, 1.0));
    LOG.warn("{}: {}; tried again in {} ms", config.name(), why, wait);
    set(
        status(
            ServerState.FAILED,
            Optional.of(why),
            Optional.of(Instant.now().plusMillis(wait)),
            status.starts()));
    settled.countDown();
    Thread.sleep(wait);
    events.clear(); // What the connection that is gone still had to say.
  }

  private void set(ServerStatus next) {
    status = next;
    changed.run();
  }

  private ServerStatus status(
      ServerState state, Optional<String> reason, Optional<Instant> retryAt, int starts) {
    return new ServerStatus(
        config.name(),
        config.endpoint().type(),
        state,
        reason,
        Instant.now(),
        retryAt,
        starts,
        OptionalLong.empty(),
        status == null ? Optional.empty() : status.self(),
        List.of(),
        List.of(),
        List.of());
  }

  /** Ends the connection and the server's process, and returns when both are gone. */
  @Override
  public void close() {
    synchronized (this) {
      if (interruptible && !closed) {
        keeper.interrupt();
      }
      closed = true;
    }
    try {
      if (keeper.isAlive()) {
        keeper.join(Duration.ofSeconds(20));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  // Of one kind one is enough: a server may say so a thousand times.
  private synchronized void tell(Event event) {
    if (events.stream().noneMatch(waiting -> waiting.getClass() == event.getClass())) {
      events.add(event);
    }
  }

  private final class Events implements Connection.Listener {
    @Override
    public void listChanged() {
      tell(new Event.ListChanged());
    }

    @Override
    public void doubtful(String why) {
      tell(new Event.Doubtful(why));
    }

    @Override
    public void lost(String why) {
      tell(new Event.Lost(why));
    }
  }
}
