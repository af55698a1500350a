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

  /** What has memory: whatever a step may be about. */
  List<Row> running() {
    return List.copyOf(running);
  }

  /** How often a row had to give its memory back. */
  long preemptions() {
    return preemptions;
  }

  /** Waits for a job if there is nothing to do; whether there is something. */
  boolean await(long timeout, TimeUnit unit) throws InterruptedException {
    return !running.isEmpty() || !suspended.isEmpty() || queue.await(timeout, unit);
  }

  /** The next step's chunks, of different rows; empty if there is nothing to compute. */
  List<Chunk> plan() {
    admit();
    var chunks = new ArrayList<Chunk>();
    for (var row : running()) {
      if (running.contains(row) && row.decodes() && roomAtLowerRanksCost(row)) {
        chunks.add(row.chunk(1));
      }
    }
    addPrompts(chunks);
    return chunks;
  }

  private void addPrompts(List<Chunk> chunks) {
    // What comes from a disk at the next steps is not computed now.
    var prompts = running.stream().filter(row -> !row.decodes() && !row.loads()).toList();
    if (prompts.isEmpty()) {
      return;
    }
    var turns = new PromptTurns(prompts, cost.budget(chunks.size(), prompts.size()));
    for (var row = turns.next(); row.isPresent(); row = turns.next()) {
      addPrompt(chunks, row.get(), turns);
    }
  }

  /** Nobody loses its memory to a prompt, unless nothing else would go on. */
  private void addPrompt(List<Chunk> chunks, Row row, PromptTurns turns) {
    if (!running.contains(row)) {
      return; // It gave its memory to one before it.
    }
    var count = Math.min(turns.share(), row.missing());
    if (row.kv().reserve(count) || (chunks.isEmpty() && roomAtOthersCost(row, count))) {
      chunks.add(row.chunk(count));
      turns.took(count);
    }
  }

  /** Room for a row's next token, at the cost of the lowest rank, which may be its own. */
  private boolean roomAtLowerRanksCost(Row row) {
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
  private void admit() {
    for (var goesOn = true; goesOn; ) {
      var job = queue.peek();
      var back = Optional.ofNullable(suspended.peek());
      // Who had to give way goes before those of its priority who never had a turn.
      if (back.isPresent()
          && job.filter(each -> each.request().priority() > back.get().priority()).isEmpty()) {
        goesOn = makeRoomFor(back.get());
        if (goesOn) {
          suspended.remove(back.get());
          start(back.get());
        }
      } else {
        goesOn = job.isPresent() && takeUp(job.get());
      }
    }
  }

  /** Whether there was room. */
  private boolean takeUp(Job job) {
    var row = new Row(job);
    var leader = leader(row);
    if (leader.isPresent() ? answers() >= maxRows : !makeRoomFor(row)) {
      return false;
    }
    if (queue.take(job) && job.take()) {
      leader.ifPresentOrElse(first -> first.followers().add(row), () -> start(row));
    }
    return true;
  }

  /** Room for a row, at the cost of lower priorities. */
  private boolean makeRoomFor(Row row) {
    while (!hasRoomFor(row)) {
      var lowest = running.getLast();
      if (lowest.priority() >= row.priority()) {
        return false;
      }
      preempt(lowest);
    }
    return true;
  }

  private boolean hasRoomFor(Row row) {
    return running.isEmpty() || (answers() < maxRows && memory.admits(row, running.size()));
  }

  /** Rows that a step may have: those that run, and those that wait for one of these. */
  private int answers() {
    return running.stream().mapToInt(each -> 1 + each.followers().size()).sum();
  }

  /** A row that computes the same prompt just now. */
  private Optional<Row> leader(Row row) {
    return running.stream().filter(each -> each.answersWith(row) && !each.answered()).findFirst();
  }

  private void start(Row row) {
    try {
      row.begin(memory.open(row.tenant(), row.tokens()));
    } catch (RuntimeException | Error e) {
      row.fail(e);
      endBroken(row);
      return;
    }
    run(row);
  }

  private void run(Row row) {
    running.add(row);
    running.sort(Row.RANK);
  }

  /**
   * A follower of a row whose prompt is computed goes its own way.
   *
   * @return false if there is no room for it now, and it is to begin by itself later
   */
  boolean branch(Row row, Row follower) {
    var kv = running.size() < maxRows ? row.kv().fork() : Optional.<SequenceKv>empty();
    if (kv.isEmpty()) {
      suspended.add(follower);
      return false;
    }
    follower.begin(kv.get());
    run(follower);
    return true;
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
}
