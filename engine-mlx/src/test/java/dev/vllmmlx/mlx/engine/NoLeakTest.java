package dev.vllmmlx.mlx.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.testkit.RecordingSink;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Requests on the default model leave nothing behind. */
final class NoLeakTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /** A thousand of them, a third cancelled. */
  @Test
  void liveHandlesReturnToTheirStart() {
    // What is kept on purpose would count.
    try (var engine = open(Map.of("prompt-caches", "0"))) {
      var atStart = engine.status().gauges().get("live_handles");
      var random = new Random(7);
      var batch = new ArrayList<RecordingSink>();
      for (var i = 0; i < 1000; i++) {
        var sink = new RecordingSink();
        var request =
            GenerationRequest.of(
                "leak-" + i,
                new Prompt.Tokens(new int[] {1 + random.nextInt(40_000)}),
                Sampling.greedy(),
                StopConditions.after(1 + random.nextInt(2)));
        var generation = engine.generate(request, sink);
        if (i % 3 == 0) {
          generation.cancel();
        }
        batch.add(sink);
        if (batch.size() == 100) {
          batch.forEach(each -> each.await(PATIENCE));
          batch.clear();
        }
      }
      // The last answer's end is heard just before its state is freed.
      awaitHandles(engine, atStart);
    }
  }

  /** Each takes over a copy of what the one before it began with. */
  @Test
  void leavesNothingBehindOfChatsThatBeginAlike() {
    try (var engine = open(Map.of("prompt-caches", "2"))) {
      var random = new Random(11);
      var handles = 0.0;
      for (var i = 0; i < 12; i++) {
        var tokens = new int[24];
        Arrays.setAll(tokens, at -> at < 8 ? 100 + at : 1 + random.nextInt(40_000));
        var sink = new RecordingSink();
        engine.generate(
            GenerationRequest.of(
                "alike-" + i,
                new Prompt.Tokens(tokens),
                Sampling.greedy(),
                StopConditions.after(2)),
            sink);
        sink.await(PATIENCE);
        if (i == 3) { // From here on two are kept.
          while (engine.status().running() > 0) {
            sleep(); // The answer's end is heard just before its state is put away.
          }
          handles = engine.status().gauges().get("live_handles");
        }
      }
      awaitHandles(engine, handles);
    }
  }

  private static Engine open(Map<String, String> more) {
    var provider = new SimpleEngineProvider();
    return provider.open(EngineDefaults.context(provider, Optional.empty(), more));
  }

  /** Not more than so many; what was counted while a cache made room for another may be more. */
  private static void awaitHandles(Engine engine, double most) {
    for (var i = 0; i < 100 && engine.status().gauges().get("live_handles") > most; i++) {
      sleep();
    }
    assertThat(engine.status().gauges().get("live_handles")).isLessThanOrEqualTo(most);
  }

  private static void sleep() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
