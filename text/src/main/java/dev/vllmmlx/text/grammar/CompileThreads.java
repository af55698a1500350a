package dev.vllmmlx.text.grammar;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Runs what cannot be interrupted, as many at once as there are processors. Who waits for longer
 * than the limit gives up; what runs then gives its place to the next and ends by itself, out of
 * the way of others, up to a number of such.
 */
final class CompileThreads {
  private static final long STACK_BYTES = 512L << 20; // of address space; pages come when touched
  private static final int MOST_OVERDUE = 8;

  private final Duration limit;
  private final Semaphore slots =
      new Semaphore(Math.max(2, Runtime.getRuntime().availableProcessors()), true);
  private final Semaphore overdue = new Semaphore(MOST_OVERDUE);

  CompileThreads(Duration limit) {
    this.limit = limit;
  }

  /** Work that was started, and the place it takes. */
  final class Task<T> {
    private final CompletableFuture<T> result = new CompletableFuture<>();
    private final AtomicBoolean hasSlot = new AtomicBoolean();
    private final AtomicBoolean isOverdue = new AtomicBoolean();
    private volatile boolean begun;

    private void run(Supplier<T> work, Consumer<Task<T>> after) {
      try {
        if (!slots.tryAcquire(limit.toMillis(), TimeUnit.MILLISECONDS)) {
          throw busy();
        }
        hasSlot.set(true);
        begun = true;
        result.complete(work.get());
      } catch (Throwable failure) {
        result.completeExceptionally(failure);
      } finally {
        leave();
        if (isOverdue.compareAndSet(true, false)) {
          overdue.release();
        }
        after.accept(this);
      }
    }

    private void leave() {
      if (hasSlot.compareAndSet(true, false)) {
        slots.release();
      }
    }

    /** The result where it is there; else null. */
    T done() {
      return result.isDone() && !result.isCompletedExceptionally() ? result.join() : null;
    }

    /** Waits for the result, for no longer than the limit. */
    T await() {
      try {
        return result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        if (!begun) {
          throw busy();
        }
        if (hasSlot.get() && overdue.tryAcquire()) {
          isOverdue.set(true);
          leave();
          if (result.isDone() && isOverdue.compareAndSet(true, false)) {
            overdue.release();
          }
        }
        throw tooSlow(
            "the constraint takes longer than %d ms to compile".formatted(limit.toMillis()));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw tooSlow("interrupted while the constraint was compiled");
      } catch (ExecutionException e) {
        throw switch (e.getCause()) {
          case RuntimeException cause -> cause;
          case Error cause -> throw cause;
          case Throwable cause -> throw new AssertionError(cause);
        };
      }
    }
  }

  /**
   * @param after is run when the work has ended in whatever way, or was never begun
   */
  <T> Task<T> start(Supplier<T> work, Consumer<Task<T>> after) {
    var task = new Task<T>();
    Thread.ofPlatform()
        .daemon()
        .name("compile-constraint")
        .stackSize(STACK_BYTES)
        .start(() -> task.run(work, after));
    return task;
  }

  private static ConstraintException busy() {
    return new ConstraintException.Busy("too many constraints are being compiled; try again");
  }

  private static ConstraintException tooSlow(String message) {
    return new ConstraintException.TooSlow(message);
  }
}
