package dev.vllmmlx.mlx.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * What waits for its turn: of the highest priority first; of one priority each tenant in turn,
 * however many each has waiting; of one tenant the first that came. For any threads.
 */
public final class FairQueue<T> {

  private record Waiting<T>(long ticket, T item) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** By priority, the highest first, then by tenant, the next one first. */
  private final TreeMap<Integer, LinkedHashMap<String, PriorityQueue<Waiting<T>>>> lines =
      new TreeMap<>(Comparator.reverseOrder());

  private boolean closed;

  /**
   * Adds an item.
   *
   * @param ticket orders the items of one tenant: the order in which they came, which need not be
   *     that in which they are added
   * @return false if the queue was closed, and the item is not in it
   */
  public boolean add(int priority, String tenant, long ticket, T item) {
    lock.lock();
    try {
      if (closed) {
        return false;
      }
      lines
          .computeIfAbsent(priority, p -> new LinkedHashMap<>())
          .computeIfAbsent(
              tenant, t -> new PriorityQueue<>(Comparator.comparingLong(Waiting::ticket)))
          .add(new Waiting<>(ticket, item));
      changed.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Takes the next item; empty if none came in the time, or the queue is closed. */
  public Optional<T> poll(long timeout, TimeUnit unit) throws InterruptedException {
    lock.lock();
    try {
      return await(timeout, unit) ? Optional.of(takeNext()) : Optional.empty();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until it has an item; false if none came in the time, or the queue is closed. */
  public boolean await(long timeout, TimeUnit unit) throws InterruptedException {
    lock.lock();
    try {
      var left = unit.toNanos(timeout);
      while (lines.isEmpty() && !closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      return !closed && !lines.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /** The next item, which keeps its turn. */
  public Optional<T> peek() {
    lock.lock();
    try {
      return closed || lines.isEmpty()
          ? Optional.empty()
          : Optional.of(lines.firstEntry().getValue().firstEntry().getValue().element().item());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes an item that {@link #peek} gave.
   *
   * @return false if it is not the next any more
   */
  public boolean take(T item) {
    lock.lock();
    try {
      var next = peek().filter(each -> each == item).isPresent();
      if (next) {
        takeNext();
      }
      return next;
    } finally {
      lock.unlock();
    }
  }

  private T takeNext() {
    var line = lines.firstEntry();
    var tenants = line.getValue();
    var turn = tenants.pollFirstEntry();
    var item = turn.getValue().remove().item();
    if (!turn.getValue().isEmpty()) {
      // To the end of the line, behind everyone who waits already.
      tenants.put(turn.getKey(), turn.getValue());
    } else if (tenants.isEmpty()) {
      lines.remove(line.getKey());
    }
    return item;
  }

  /** Takes out the items that a condition holds for, whatever their turn. */
  public List<T> removeIf(Predicate<T> condition) {
    lock.lock();
    try {
      var removed = new ArrayList<T>();
      for (var tenants : lines.values()) {
        for (var line : tenants.values()) {
          line.removeIf(waiting -> condition.test(waiting.item()) && removed.add(waiting.item()));
        }
        tenants.values().removeIf(PriorityQueue::isEmpty);
      }
      lines.values().removeIf(Map::isEmpty);
      return removed;
    } finally {
      lock.unlock();
    }
  }

  /** Lets nothing more in, and gives out what is left. */
  public List<T> close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    return removeIf(item -> true);
  }
}
