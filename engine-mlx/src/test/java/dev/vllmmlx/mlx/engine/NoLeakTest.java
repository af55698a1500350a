package dev.vllmmlx.mlx.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineOption;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.testkit.RecordingSink;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A thousand requests on the default model, a third of them cancelled, leave nothing behind. */
final class NoLeakTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  @Test
  void liveHandlesReturnToTheirStart() {
    var provider = new SimpleEngineProvider();
    var options =
        provider.options().stream()
            .filter(option -> !option.defaultValue().isEmpty())
            .collect(Collectors.toMap(EngineOption::name, EngineOption::defaultValue));
    options.put("prompt-caches", "0"); // what is kept on purpose would count
    var context =
        new EngineContext(Optional.empty(), Optional.empty(), options, (step, done, total) -> {});
    try (var engine = provider.open(context)) {
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
      for (var i = 0;
          i < 100 && !engine.status().gauges().get("live_handles").equals(atStart);
          i++) {
        sleep();
      }
      assertThat(engine.status().gauges().get("live_handles")).isEqualTo(atStart);
    }
  }

  private static void sleep() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
