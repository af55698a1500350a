package dev.vllmmlx.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs. How fast it does is no test's matter. */
class BenchmarksTest {

  @Test
  void run() throws Exception {
    var options =
        new OptionsBuilder()
            .include("dev\\.vllmmlx\\.bench\\..*")
            .param("shape", "576x576")
            .param("rows", "1")
            .param("context", "128")
            .param("messages", "2")
            .forks(0)
            .warmupIterations(0)
            .measurementIterations(1)
            .measurementTime(TimeValue.milliseconds(10))
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build();
    var results = new Runner(options).run();
    // Products of three kinds of weights, attention, and three of the text layer.
    assertThat(results).hasSize(7);
    assertThat(results)
        .allSatisfy(result -> assertThat(result.getPrimaryResult().getScore()).isPositive());
  }
}
