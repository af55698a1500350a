package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.engine.FairQueue;
import dev.vllmmlx.mlx.engine.Job;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Decides what a step computes: a token for every answer under way, and pieces of prompts within
 * what {@link StepCost} allows. Requests are taken up while there is memory, in the queue's order;
 * where it runs out, the request of the lowest rank gives its memory back and is computed again
 * later. On the engine's thread.
 */
final class Scheduler {
  private final FairQueue<Job> queue;
  private final KvMemory memory;
  private final StepCost cost;
  private final int maxRows;

  /** What is computed, by rank. */
  private final List<Row> running = new ArrayList<>();

  /** What was taken up and has no memory: it had to give it back, or its leader is gone. */
  private final PriorityQueue<Row> suspended = new PriorityQueue<>(Row.RANK);

  /** Taken from the queue and not taken up yet; mostly null. */
  private Job next;

  private long preemptions;

  Scheduler(FairQueue<Job> queue, KvMemory memory, StepCost cost, int maxRows) {
    this.queue = queue;
    this.memory = memory;
    this.cost = cost;
    this.maxRows = maxRows;
  }

  /** Everything that is taken up and has not ended. */
  List<Row> rows() {
    return Stream.concat(running.stream(), suspended.stream())
        .flatMap(row -> Stream.concat(Stream.of(row), row.followers().stream()))
        .toList();
  }

  /** How often a row had to give its memory back. */
  long preemptions() {
    return preemptions;
  }

  /** Waits for a job if there is nothing to do; whether there is something. */
  boolean await(long timeout, TimeUnit unit) throws InterruptedException {
    if (running.isEmpty() && suspended.isEmpty() && next == null) {
      next = queue.poll(timeout, unit).orElse(null);
      return next != null;
    }
    return true;
  }

  /** The next step's chunks; empty if there is nothing to compute. */
  List<Chunk> plan() throws InterruptedException {
    admit();
    var chunks = new ArrayList<Chunk>();
    for (var row : List.copyOf(running)) {
      if (running.contains(row) && row.decodes() && decodeRoom(row)) {
        chunks.add(row.chunk(1));
      }
    }
    var budget = cost.budget(chunks.size());
    for (var row : List.copyOf(running)) {
      if (budget > 0 && running.contains(row) && !row.decodes()) {
        var count = Math.min(budget, row.missing());
        // Nobody loses its memory to a prompt, unless nothing else would go on.
        if (row.kv().reserve(count) || (chunks.isEmpty() && roomAtOthersCost(row, count))) {
          chunks.add(row.chunk(count));
          budget -= count;
        }
      }
    }
    return chunks;
  }

  /** Room for a row's next token, at the cost of the lowest rank, which may be its own. */
  private boolean decodeRoom(Row row) {
    while (!row.kv().reserve(1)) {
      var lowest = running.getLast();
      preempt(lowest);
      if (lowest == row) {
        return false;
      }
    }
    return true;
  }

  private boolean roomAtOthersCost(Row row, int count) {
    while (!row.kv().reserve(count)) {
      var other = running.reversed().stream().filter(each -> each != row).findFirst();
      if (other.isEmpty()) {
        return false;
      }
      preempt(other.get());
    }
    return true;
  }

  private void preempt(Row row) {
    preemptions++;
    row.release();
    running.remove(row);
    suspended.add(row);
  }

  /** Takes up what waits, as long as there is room. */
  private void admit() throws InterruptedException {
    while (!suspended.isEmpty() && hasRoomFor(suspended.peek())) {
      start(suspended.remove());
    }
    while (suspended.isEmpty()) {
      if (next == null) {
        next = queue.poll(0, TimeUnit.NANOSECONDS).orElse(null);
      }
      if (next == null) {
        return;
      }
      var job = next;
      next = null;
      var row = new Row(job);
      var leader = leader(row);
      if (leader.isEmpty() && !hasRoomFor(row)) {
        // Back to its place: something of a higher priority may come before there is room.
        if (!queue.add(job.request().priority(), job.request().tenant(), job.ticket(), job)) {
          next = job;
        }
        return;
      }
      if (job.take()) {
        leader.ifPresentOrElse(first -> first.followers().add(row), () -> start(row));
      }
    }
  }

  private boolean hasRoomFor(Row row) {
    var answers = running.stream().mapToInt(each -> 1 + each.followers().size()).sum();
    return answers == 0
        || (answers < maxRows && memory.admits(row.sequence().length(), running.size()));
  }

  /** A row that computes the same prompt just now. */
  private Optional<Row> leader(Row row) {
    return running.stream().filter(each -> each.answersWith(row) && !each.answered()).findFirst();
  }

  private void start(Row row) {
    var sequence = row.sequence();
    row.begin(memory.open(row.job().request().tenant(), sequence.tokens(0, sequence.length())));
    join(row);
  }

  /** A row that has memory is computed from now on. */
  void join(Row row) {
    running.add(row);
    running.sort(Row.RANK);
  }

  /** A row has ended; others answer its prompt by themselves, if it did not come to that. */
  void end(Row row) {
    row.release();
    leave(row);
  }

  /** A row has ended, and what it stored may be broken. */
  void endBroken(Row row) {
    row.discard();
    leave(row);
  }

  private void leave(Row row) {
    running.remove(row);
    suspended.remove(row);
    running.forEach(each -> each.followers().remove(row));
    suspended.forEach(each -> each.followers().remove(row));
    suspended.addAll(row.takeFollowers());
  }

  /** What is stored is lost: everything begins again. */
  void suspendAll() {
    running.forEach(Row::discard);
    suspended.addAll(running);
    running.clear();
  }

  /** The engine is closing: what was taken from the queue and not taken up. */
  Optional<Job> untaken() {
    return Optional.ofNullable(next);
  }
}
