package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.engine.MlxEngineOpening;
import dev.vllmmlx.mlx.engine.MlxOptions;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineOption;
import dev.vllmmlx.spi.EngineProvider;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** {@code --engine batched}: MLX, many requests together. */
public final class BatchedEngineProvider implements EngineProvider {

  @Override
  public String name() {
    return "batched";
  }

  @Override
  public Set<String> aliases() {
    return Set.of("continuous-batching");
  }

  @Override
  public String description() {
    return "MLX, many requests together: continuous batching, for several users";
  }

  @Override
  public List<EngineOption> options() {
    return Stream.concat(MlxOptions.DECLARED.stream(), BatchedSettings.DECLARED.stream()).toList();
  }

  @Override
  public Engine open(EngineContext context) {
    var settings = BatchedSettings.of(context);
    return new MlxEngineOpening<BatchModel>(
            MlxOptions.of(context),
            context,
            (checkpoint, loaded, contextLength) ->
                LoadedBatchModel.of(checkpoint, loaded, contextLength, settings),
            new BatchLoop(settings),
            settings.maxRows())
        .open();
  }
}
