package dev.vllmmlx.echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.testkit.EngineContractTest;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.testkit.engine.EngineTestKit;

/** The testkit catches engines that break the contract: each has one defect. */
final class BrokenEnginesTest {

  static Stream<Class<?>> defects() {
    return Stream.of(
        TwoTerminalEvents.class,
        NoTerminalEvent.class,
        NoStart.class,
        LeaksStopStrings.class,
        IgnoresConstraints.class,
        MiscountsTokens.class,
        DeafToCancel.class,
        ThrowsFromGenerate.class,
        ForgetsLogprobs.class,
        StaysOpen.class);
  }

  @ParameterizedTest
  @MethodSource("defects")
  void aDefectIsCaught(Class<?> contract) {
    var tests =
        EngineTestKit.engine("junit-jupiter")
            .selectors(selectClass(contract))
            .execute()
            .testEvents();
    assertThat(tests.failed().count()).as("failed tests of " + contract).isPositive();
  }

  /** An engine that works but for what a subclass spoils. */
  abstract static class Spoiled extends EngineContractTest implements Engine {
    private Engine echo;

    @Override
    protected Engine open() {
      echo = new EchoEngine(new EchoSettings("echo", 0, 64, 8, 2048));
      return this;
    }

    @Override
    protected Duration patience() {
      return Duration.ofMillis(500);
    }

    /** What is asked of the engine beneath. */
    GenerationRequest asked(GenerationRequest request) {
      return request;
    }

    /** What becomes of an event. */
    List<GenerationEvent> heard(GenerationEvent event) {
      return List.of(event);
    }

    @Override
    public Generation generate(GenerationRequest request, GenerationSink sink) {
      return echo.generate(asked(request), event -> heard(event).forEach(sink::accept));
    }

    @Override
    public ModelInfo model() {
      return echo.model();
    }

    @Override
    public EngineStatus status() {
      return echo.status();
    }

    @Override
    public int[] tokenize(Prompt prompt) {
      return echo.tokenize(prompt);
    }

    @Override
    public String detokenize(int[] tokens) {
      return echo.detokenize(tokens);
    }

    @Override
    public void close() {
      echo.close();
    }
  }

  static final class TwoTerminalEvents extends Spoiled {
    @Override
    List<GenerationEvent> heard(GenerationEvent event) {
      return event instanceof GenerationEvent.Terminal ? List.of(event, event) : List.of(event);
    }
  }

  static final class NoTerminalEvent extends Spoiled {
    @Override
    List<GenerationEvent> heard(GenerationEvent event) {
      return event instanceof GenerationEvent.Terminal ? List.of() : List.of(event);
    }
  }

  static final class NoStart extends Spoiled {
    @Override
    List<GenerationEvent> heard(GenerationEvent event) {
      return event instanceof GenerationEvent.Started ? List.of() : List.of(event);
    }
  }

  static final class LeaksStopStrings extends Spoiled {
    @Override
    GenerationRequest asked(GenerationRequest request) {
      var stop = request.stop();
      return with(
          request,
          new StopConditions(stop.maxTokens(), 0, List.of(), stop.tokenIds(), stop.ignoreEos()),
          request.constraint());
    }
  }

  static final class IgnoresConstraints extends Spoiled {
    @Override
    GenerationRequest asked(GenerationRequest request) {
      return with(request, request.stop(), new Constraint.None());
    }
  }

  static final class MiscountsTokens extends Spoiled {
    @Override
    List<GenerationEvent> heard(GenerationEvent event) {
      return event instanceof GenerationEvent.Delta(var text, var tokens, var logprobs)
          ? List.of(new GenerationEvent.Delta(text, tokens + 1, logprobs))
          : List.of(event);
    }
  }

  static final class DeafToCancel extends Spoiled {
    @Override
    public Generation generate(GenerationRequest request, GenerationSink sink) {
      super.generate(
          request,
          event -> {
            try {
              Thread.sleep(2); // or the end of the context comes first
            } catch (InterruptedException _) {
              Thread.currentThread().interrupt();
            }
            sink.accept(event);
          });
      return () -> {};
    }
  }

  static final class ThrowsFromGenerate extends Spoiled {
    @Override
    public Generation generate(GenerationRequest request, GenerationSink sink) {
      if (!(request.constraint() instanceof Constraint.None)) {
        throw new UnsupportedOperationException("constraints");
      }
      return super.generate(request, sink);
    }
  }

  static final class ForgetsLogprobs extends Spoiled {
    @Override
    List<GenerationEvent> heard(GenerationEvent event) {
      return event instanceof GenerationEvent.Delta(var text, var tokens, var _)
          ? List.of(new GenerationEvent.Delta(text, tokens, List.of()))
          : List.of(event);
    }
  }

  static final class StaysOpen extends Spoiled {
    @Override
    public void close() {}
  }

  private static GenerationRequest with(
      GenerationRequest request, StopConditions stop, Constraint constraint) {
    return new GenerationRequest(
        request.id(),
        request.choice(),
        request.prompt(),
        request.sampling(),
        new StopConditions(
            stop.maxTokens(),
            stop.minTokens(),
            stop.strings(),
            Set.copyOf(stop.tokenIds()),
            stop.ignoreEos()),
        constraint,
        request.topLogprobs(),
        request.deadline(),
        request.priority(),
        request.tenant());
  }
}
