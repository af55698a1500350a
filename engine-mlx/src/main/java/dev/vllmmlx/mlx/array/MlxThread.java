package dev.vllmmlx.mlx.array;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;

/**
 * The one platform thread that may touch MLX: {@link Mlx} and {@link Array} work on it and refuse
 * any other.
 *
 * <p>Tasks run one after the other in the order they were handed over, each in a {@link Scope} of
 * its own. An engine's loop may be one long task. Any thread may call the methods here.
 */
public final class MlxThread implements AutoCloseable {

  private record Task<T>(Callable<T> body, CompletableFuture<T> result) {
    /** Interruption is for the task to see; it does not end the thread. */
    void run() {
      T value;
      try (var ignored = Mlx.scope()) {
        value = body.call();
      } catch (Throwable t) {
        result.completeExceptionally(t);
        return;
      }
      // After the scope: who waits for the task finds its arrays freed.
      result.complete(value);
    }
  }

  private final LinkedBlockingQueue<Task<?>> tasks = new LinkedBlockingQueue<>();
  private final CompletableFuture<Void> started = new CompletableFuture<>();
  private final Owner.OwnerThread thread;
  private boolean closed;

  private MlxThread(String name, Device device) {
    thread = new Owner.OwnerThread(name, () -> run(device));
  }

  /** Starts a thread on the best device of this machine. */
  public static MlxThread start(String name) {
    NativeLibraries.locate();
    return start(name, Device.best());
  }

  /**
   * Starts a thread whose arrays are made on a device.
   *
   * @throws MlxException where the native libraries are missing or the device does not work
   */
  public static MlxThread start(String name, Device device) {
    NativeLibraries.locate();
    var started = new MlxThread(name, device);
    started.thread.start();
    try {
      started.started.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof MlxException mlx
          ? mlx
          : new MlxException(
              "MLX could not be started: " + e.getCause().getMessage(), e.getCause());
    }
    return started;
  }

  /**
   * Hands over a task.
   *
   * @return done on the MLX thread, with what the task gave or threw
   * @throws RejectedExecutionException after {@link #close}
   */
  public <T> CompletableFuture<T> submit(Callable<T> task) {
    var result = new CompletableFuture<T>();
    synchronized (tasks) {
      if (closed) {
        throw new RejectedExecutionException("the MLX thread " + thread.getName() + " is closed");
      }
      tasks.add(new Task<>(task, result));
    }
    return result;
  }

  /**
   * Hands over a task and waits; what it throws is thrown here, checked exceptions in a {@link
   * CompletionException}.
   */
  public <T> T call(Callable<T> task) {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException(
          "a task that waits for another on its own thread would wait forever");
    }
    try {
      return submit(task).join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        default -> throw e;
      }
    }
  }

  /** Runs one task on a thread of its own, which ends with it: for tests and tools. */
  public static <T> T run(Callable<T> task) {
    try (var own = start("mlx")) {
      return own.call(task);
    }
  }

  /**
   * Lets the tasks that were handed over finish, frees every array and ends the thread; waits for
   * it.
   */
  @Override
  public void close() {
    synchronized (tasks) {
      if (!closed) {
        closed = true;
        tasks.add(new Task<>(() -> null, new CompletableFuture<>())); // wakes it up
      }
    }
    if (Thread.currentThread() == thread) {
      return;
    }
    var interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run(Device device) {
    Owner owner;
    try {
      owner = new Owner(device);
    } catch (Throwable t) {
      started.completeExceptionally(t);
      return;
    }
    started.complete(null);
    try (owner) {
      while (true) {
        Task<?> task;
        try {
          task = tasks.take();
        } catch (InterruptedException e) {
          continue;
        }
        task.run();
        synchronized (tasks) {
          if (closed && tasks.isEmpty()) {
            return;
          }
        }
      }
    }
  }
}
