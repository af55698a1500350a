package dev.vllmmlx.gateway.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/** Puts the load of a plan on a server, level after level. */
final class LoadRun {

  /** Is told when a request of a level has ended. */
  interface Progress {
    void ended(int concurrency, int done, int of);
  }

  private final LoadPlan plan;
  private final Progress progress;
  private final AtomicInteger prompts = new AtomicInteger();

  LoadRun(LoadPlan plan, Progress progress) {
    this.plan = plan;
    this.progress = progress;
  }

  /**
   * @throws IOException if the server cannot be asked for its model, or answers none of the first
   *     requests
   */
  LoadFigures run() throws IOException, InterruptedException {
    var text = new PromptText(plan.seed(), plan.promptTokens(), plan.sharedPrefix());
    try (var client = new LoadClient(plan)) {
      var model = plan.model().isPresent() ? plan.model().get() : client.firstModel();
      calibrate(client, model, text);
      for (var i = 0; i < plan.warmUp(); i++) {
        client.send(model, text.of(prompts.getAndIncrement()), plan.maxTokens());
      }
      var levels = new ArrayList<LevelFigures>();
      for (var concurrency : plan.concurrency()) {
        levels.add(level(client, model, text, concurrency));
      }
      return new LoadFigures(plan, model, client.answersMayBeShorter(), levels);
    }
  }

  private void calibrate(LoadClient client, String model, PromptText text)
      throws IOException, InterruptedException {
    var few = 10;
    var many = 60;
    if (client.send(model, text.sample(few), 2) instanceof RequestOutcome.Failed(var kind)) {
      throw new IOException("the server's first answer failed: " + kind);
    }
    var first = client.promptTokens(model, text.sample(few));
    var second = client.promptTokens(model, text.sample(many));
    if (first.isPresent() && second.isPresent() && second.getAsInt() > first.getAsInt()) {
      text.calibrate(few, first.getAsInt(), many, second.getAsInt());
    }
  }

  private LevelFigures level(LoadClient client, String model, PromptText text, int concurrency)
      throws InterruptedException {
    var outcomes = Collections.synchronizedList(new ArrayList<RequestOutcome>());
    var free = new Semaphore(concurrency);
    var arrivals = new SplittableRandom(plan.seed() + concurrency);
    var start = System.nanoTime();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var i = 0; i < plan.requests(); i++) {
        if (plan.rate().isPresent()) {
          var wait = -Math.log(1 - arrivals.nextDouble()) / plan.rate().getAsDouble();
          Thread.sleep((long) (wait * 1000));
        } else {
          free.acquire();
        }
        var prompt = text.of(prompts.getAndIncrement());
        threads.submit(
            () -> {
              try {
                outcomes.add(client.send(model, prompt, plan.maxTokens()));
                progress.ended(concurrency, outcomes.size(), plan.requests());
              } finally {
                free.release();
              }
              return null;
            });
      }
    }
    var seconds = (System.nanoTime() - start) / 1e9;
    return LevelFigures.of(concurrency, seconds, List.copyOf(outcomes));
  }
}
