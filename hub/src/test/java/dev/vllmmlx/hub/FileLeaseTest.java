package dev.vllmmlx.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class FileLeaseTest {
  @TempDir Path folder;

  @Test
  void keepsOutAnotherProcess() throws Exception {
    var lock = folder.resolve("locks/a.lock");
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var holder =
        new ProcessBuilder(
                java,
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Holder.class.getName(),
                lock.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");
      var busy = new CompletableFuture<Void>();
      var taken =
          CompletableFuture.runAsync(
              () -> FileLease.acquire(lock, () -> busy.complete(null)).close());
      busy.get(10, TimeUnit.SECONDS);
      assertThat(taken).isNotDone();

      // Killed, as by the system when memory runs out: the lease must not outlive it.
      holder.destroyForcibly();

      taken.get(10, TimeUnit.SECONDS);
    } finally {
      holder.destroyForcibly().waitFor();
    }
  }

  @Test
  void keepsOutAnotherThread() throws Exception {
    var lock = folder.resolve("a.lock");
    var busy = new CompletableFuture<Void>();
    CompletableFuture<Void> taken;
    try (var _ = FileLease.acquire(lock, () -> {})) {
      taken =
          CompletableFuture.runAsync(
              () -> FileLease.acquire(lock, () -> busy.complete(null)).close());
      busy.get(10, TimeUnit.SECONDS);
      assertThat(taken).isNotDone();
    }
    assertThat(taken).succeedsWithin(Duration.ofSeconds(10));
  }

  /** The other process: takes the lease, says so, and holds it until it is ended. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] args) throws IOException {
      try (var _ = FileLease.acquire(Path.of(args[0]), () -> {})) {
        System.out.println("held");
        System.in.read();
      }
    }
  }
}
