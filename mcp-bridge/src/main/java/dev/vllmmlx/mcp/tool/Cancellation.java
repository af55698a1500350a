package dev.vllmmlx.mcp.tool;

import java.util.concurrent.CompletableFuture;

/** Whether somebody still waits for an answer. For any thread. */
public final class Cancellation {
  private final CompletableFuture<Void> cancelled = new CompletableFuture<>();

  /** Says that nobody waits any more; again is fine. */
  public void cancel() {
    cancelled.complete(null);
  }

  public boolean isCancelled() {
    return cancelled.isDone();
  }

  /** Done once nobody waits. A copy: completing it cancels nothing. */
  public CompletableFuture<Void> whenCancelled() {
    return cancelled.copy();
  }
}
