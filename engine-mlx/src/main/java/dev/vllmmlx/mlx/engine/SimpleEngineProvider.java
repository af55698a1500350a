package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineOption;
import dev.vllmmlx.spi.EngineProvider;
import java.util.List;
import java.util.stream.Stream;

/** {@code --engine simple}: MLX, one sequence at a time at full speed. */
public final class SimpleEngineProvider implements EngineProvider {

  @Override
  public String name() {
    return "simple";
  }

  @Override
  public String description() {
    return "MLX, one request at a time at full speed; others wait in a fair queue";
  }

  @Override
  public List<EngineOption> options() {
    return Stream.concat(MlxOptions.DECLARED.stream(), SimpleEngineSettings.DECLARED.stream())
        .toList();
  }

  @Override
  public Engine open(EngineContext context) {
    var settings = SimpleEngineSettings.of(context);
    return new MlxEngineOpening<ModelRunner>(
            MlxOptions.of(context),
            context,
            (_, loaded, length) -> new MlxRunner(loaded, length),
            new OneAtATime(settings),
            1)
        .open();
  }
}
