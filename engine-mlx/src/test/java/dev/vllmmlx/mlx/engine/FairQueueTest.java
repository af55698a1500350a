package dev.vllmmlx.mlx.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class FairQueueTest {
  private final FairQueue<String> queue = new FairQueue<>();
  private long tickets;

  @Test
  void servesOneTenantInTheOrderOfArrival() throws InterruptedException {
    queue.add(0, "a", 2, "second");
    queue.add(0, "a", 1, "first");
    queue.add(0, "a", 3, "third");
    assertThat(all()).containsExactly("first", "second", "third");
  }

  @Test
  void servesTenantsInTurnHoweverManyEachHas() throws InterruptedException {
    for (var i = 1; i <= 4; i++) {
      add(0, "a", "a" + i);
    }
    add(0, "b", "b1");
    add(0, "b", "b2");
    add(0, "c", "c1");
    assertThat(all()).containsExactly("a1", "b1", "c1", "a2", "b2", "a3", "a4");
  }

  @Test
  void putsATenantThatComesBackBehindThoseWhoWait() throws InterruptedException {
    add(0, "a", "a1");
    add(0, "b", "b1");
    add(0, "b", "b2");
    assertThat(next()).contains("a1");
    add(0, "a", "a2");
    assertThat(all()).containsExactly("b1", "a2", "b2");
  }

  @Test
  void servesAHigherPriorityFirst() throws InterruptedException {
    add(0, "a", "usual");
    add(-1, "a", "low");
    add(5, "b", "high");
    assertThat(all()).containsExactly("high", "usual", "low");
  }

  @Test
  void showsTheNextWhoKeepsItsTurnUntilItIsTaken() throws InterruptedException {
    assertThat(queue.peek()).isEmpty();
    assertThat(queue.await(1, TimeUnit.MILLISECONDS)).isFalse();
    add(0, "a", "a1");
    add(0, "b", "b1");
    add(0, "a", "a2");
    assertThat(queue.await(1, TimeUnit.SECONDS)).isTrue();
    assertThat(queue.peek()).contains("a1");
    assertThat(queue.peek()).contains("a1");
    assertThat(queue.take("b1")).isFalse();
    assertThat(queue.take("a1")).isTrue();
    add(1, "c", "high");
    assertThat(queue.take("b1")).isFalse();
    assertThat(all()).containsExactly("high", "b1", "a2");
  }

  @Test
  void takesOutWhatAConditionHoldsFor() throws InterruptedException {
    add(0, "a", "a1");
    add(1, "b", "b1");
    add(0, "a", "a2");
    assertThat(queue.removeIf(item -> item.endsWith("1"))).containsExactly("b1", "a1");
    assertThat(all()).containsExactly("a2");
  }

  @Test
  void letsNothingInOnceClosed() throws InterruptedException {
    add(0, "a", "a1");
    assertThat(queue.close()).containsExactly("a1");
    assertThat(queue.add(0, "a", 9, "late")).isFalse();
    assertThat(queue.poll(10, TimeUnit.SECONDS)).isEmpty();
  }

  @Test
  void wakesWhoWaitsForAnItem() throws InterruptedException {
    var taken = new ArrayList<Optional<String>>();
    var waiter =
        Thread.startVirtualThread(
            () -> {
              try {
                taken.add(queue.poll(20, TimeUnit.SECONDS));
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    add(0, "a", "a1");
    waiter.join();
    assertThat(taken).containsExactly(Optional.of("a1"));
  }

  private void add(int priority, String tenant, String item) {
    assertThat(queue.add(priority, tenant, tickets++, item)).isTrue();
  }

  private Optional<String> next() throws InterruptedException {
    return queue.poll(0, TimeUnit.SECONDS);
  }

  private List<String> all() throws InterruptedException {
    var items = new ArrayList<String>();
    for (var item = next(); item.isPresent(); item = next()) {
      items.add(item.get());
    }
    return items;
  }
}
