package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class CompileThreadsTest {

  @Test
  void isBusyWhereAllPlacesAreTakenAndOnlyThen() throws Exception {
    var threads = new CompileThreads(Duration.ofMillis(200));
    var end = new CountDownLatch(1);
    var places = Math.max(2, Runtime.getRuntime().availableProcessors());
    var begun = new CountDownLatch(places);
    var running = new ArrayList<CompileThreads.Task<String>>();
    for (var i = 0; i < places; i++) {
      running.add(
          threads.start(
              () -> {
                begun.countDown();
                await(end);
                return "done";
              },
              task -> {}));
    }
    begun.await();
    assertThatThrownBy(() -> threads.start(() -> "", task -> {}).await())
        .isInstanceOf(ConstraintException.Busy.class);
    end.countDown();
    for (var task : running) {
      assertThat(task.await()).isEqualTo("done");
    }
    assertThat(threads.start(() -> "next", task -> {}).await()).isEqualTo("next");
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
