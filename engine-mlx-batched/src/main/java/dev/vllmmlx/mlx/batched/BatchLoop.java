package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.engine.EngineLoop;
import dev.vllmmlx.mlx.engine.Job;
import dev.vllmmlx.mlx.engine.JobRunner;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The walk of a step: what is unwanted leaves, the scheduler plans, the model computes, and each
 * sequence whose tokens are all computed chooses its next one.
 *
 * <p>An Error is what it happened to that ends, as by an exception: the heap or the stack may do
 * for the next step. The thread ends only if what failed cannot be laid out anew.
 */
final class BatchLoop implements JobRunner<BatchModel> {
  private static final Logger LOG = LoggerFactory.getLogger(BatchLoop.class);

  /** Waits of half a second without a job before the model rests. */
  private static final int WAITS_BEFORE_REST = 4;

  private final BatchedSettings settings;
  private final StepFigures figures = new StepFigures();
  private volatile int running;
  private volatile BatchModel model;
  private Scheduler scheduler;
  private StepCost cost;
  private float[][] logits;

  BatchLoop(BatchedSettings settings) {
    this.settings = settings;
  }

  @Override
  public void loaded(BatchModel model) {
    this.model = model;
    figures.publish(model.memory().gauges(), 0);
  }

  @Override
  public void run(BatchModel model, EngineLoop<BatchModel> loop) throws InterruptedException {
    cost = new StepCost(settings.maxBatchTokens());
    scheduler = new Scheduler(loop.queue(), model.memory(), cost, settings.maxRows());
    logits = new float[settings.maxRows()][];
    try {
      var waits = 0;
      while (!loop.closing()) {
        loop.beat();
        boundary();
        publish();
        if (scheduler.await(500, TimeUnit.MILLISECONDS)) {
          waits = 0;
          step(loop);
        } else if (++waits == WAITS_BEFORE_REST) {
          model.rest();
        }
      }
    } finally {
      running = 0;
      this.model = null;
    }
  }

  private void boundary() {
    try {
      model.memory().boundary();
    } catch (RuntimeException | Error e) {
      LOG.error("the memory for keys and values failed between two steps", e);
      fail(scheduler.running(), e);
    }
  }

  private void step(EngineLoop<BatchModel> loop) {
    loop.queue().removeIf(Job::overdue).forEach(Job::cancel);
    for (var row : scheduler.rows()) {
      if (row.job().unwanted()) {
        row.sequence().cancel();
        end(row, loop);
      }
    }
    List<Chunk> chunks;
    try {
      chunks = scheduler.plan();
    } catch (RuntimeException | Error e) {
      fail(scheduler.running(), e);
      return;
    }
    if (chunks.isEmpty()) {
      return;
    }
    running = scheduler.rows().size();
    var began = System.nanoTime();
    try {
      model.step(chunks, roomForLogits(chunks));
      account(chunks, System.nanoTime() - began);
      chunks.forEach(chunk -> chunk.row().appended(chunk));
    } catch (RuntimeException | Error e) {
      fail(chunks.stream().map(Chunk::row).toList(), e);
      return;
    }
    loop.beat();
    var tokens = nextTokens(chunks.stream().filter(Chunk::last).map(Chunk::row).toList());
    // Rows know nothing of each other, and the cores have nothing else to do.
    tokens.parallelStream().forEach(NextToken::choose);
    for (var token : tokens) {
      token.give();
      if (token.row().sequence().ended()) {
        end(token.row(), loop);
      }
    }
  }

  private float[][] roomForLogits(List<Chunk> chunks) {
    var count = chunks.stream().filter(Chunk::last).count();
    for (var i = 0; i < count; i++) {
      if (logits[i] == null) {
        logits[i] = new float[model.vocabularySize()];
      }
    }
    return logits;
  }

  private void account(List<Chunk> chunks, long nanos) {
    var decoded = (int) chunks.stream().filter(chunk -> chunk.row().decodes()).count();
    var prefilled = chunks.stream().mapToInt(chunk -> chunk.tokens().length).sum() - decoded;
    cost.took(decoded, prefilled, nanos / 1e9);
    model.memory().took(decoded + prefilled, nanos);
    figures.stepped(decoded, prefilled);
  }

  /** Of rows whose scores these are, in their order, and of their followers. */
  private List<NextToken> nextTokens(List<Row> rows) {
    var tokens = new ArrayList<NextToken>();
    for (var i = 0; i < rows.size(); i++) {
      var row = rows.get(i);
      if (!row.answered()) {
        // Other answers to this prompt have it for nothing.
        for (var follower : row.takeFollowers()) {
          branch(row, follower, logits[i]).ifPresent(tokens::add);
        }
      }
      tokens.add(new NextToken(row, logits[i]));
    }
    return tokens;
  }

  private Optional<NextToken> branch(Row row, Row follower, float[] scores) {
    try {
      return scheduler.branch(row, follower)
          ? Optional.of(new NextToken(follower, scores.clone()))
          : Optional.empty();
    } catch (RuntimeException | Error e) {
      follower.fail(e);
      scheduler.endBroken(follower);
      return Optional.empty();
    }
  }

  private void end(Row row, EngineLoop<BatchModel> loop) {
    scheduler.end(row);
    loop.took(Duration.ofNanos(System.nanoTime() - row.since()));
  }

  /** A step that failed half-way ends its own rows; the others begin again. */
  private void fail(List<Row> rows, Throwable e) {
    for (var row : rows) {
      row.fail(e);
      scheduler.endBroken(row);
    }
    scheduler.suspendAll();
    model.memory().reset();
  }

  /** For {@link #gauges}, which any thread may ask for. */
  private void publish() {
    running = scheduler.rows().size();
    figures.publish(model.memory().gauges(), scheduler.preemptions());
  }

  @Override
  public int running() {
    return running;
  }

  @Override
  public Map<String, Double> gauges() {
    var open = model;
    return figures.with(open == null ? Map.of() : open.gauges());
  }
}
