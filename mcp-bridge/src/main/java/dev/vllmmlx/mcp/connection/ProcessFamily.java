package dev.vllmmlx.mcp.connection;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A child process and all that came of it. Launchers such as npx start the server as a grandchild,
 * which the end of the child would leave behind; therefore each family has a mark in its
 * environment, which a process inherits even when its parent is gone. Where other processes'
 * environments cannot be read (outside Linux), descendants of living members are found. A guard
 * ends them when we are killed.
 */
final class ProcessFamily {
  private static final String MARK = "VLLM_MLX_MCP_FAMILY";

  private final String mark = UUID.randomUUID().toString();
  private Process process;
  private Optional<ProcessGuard> guard = Optional.empty();

  /** Starts the family's first member; to be called once. */
  Process start(ProcessBuilder builder) throws IOException {
    builder.environment().put(MARK, mark);
    process = builder.start();
    guard = ProcessGuard.over(process.toHandle(), mark);
    return process;
  }

  /**
   * Asks every member to end, and kills what has not done so in time. Returns when none is left.
   */
  void end(Duration patience) throws InterruptedException {
    // Before the first member goes, and its children get another parent.
    var members = members();
    members.forEach(ProcessHandle::destroy);
    await(members, patience);
    // What was born meanwhile, too.
    for (var left = members(); !left.isEmpty(); left = members()) {
      left.forEach(ProcessHandle::destroyForcibly);
      await(left, patience);
    }
    if (guard.isPresent()) {
      guard.get().release(patience);
    }
  }

  /** The members that live. */
  Set<ProcessHandle> members() {
    var members = new LinkedHashSet<ProcessHandle>();
    var first = process.toHandle();
    members.add(first);
    first.descendants().forEach(members::add);
    members.addAll(marked());
    members.removeIf(member -> !member.isAlive());
    return members;
  }

  private List<ProcessHandle> marked() {
    var proc = Path.of("/proc");
    if (!Files.isDirectory(proc.resolve("self"))) {
      return List.of();
    }
    var wanted = MARK + "=" + mark;
    return ProcessHandle.allProcesses()
        .filter(handle -> environment(proc.resolve(handle.pid() + "/environ")).contains(wanted))
        .toList();
  }

  private static String environment(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    } catch (IOException _) {
      return ""; // Somebody else's, or gone.
    }
  }

  private static void await(Set<ProcessHandle> members, Duration patience)
      throws InterruptedException {
    var all =
        CompletableFuture.allOf(
            members.stream().map(ProcessHandle::onExit).toArray(CompletableFuture[]::new));
    try {
      all.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException _) {
      // Seen by who asks for the members next.
    }
  }
}
