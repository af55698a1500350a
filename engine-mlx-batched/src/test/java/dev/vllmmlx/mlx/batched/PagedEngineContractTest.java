package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.testkit.EngineContractTest;
import java.util.Map;
import java.util.Optional;

/** The batched engine over a paged cache keeps the contract, on the default model. */
final class PagedEngineContractTest extends EngineContractTest {

  @Override
  protected Engine open() {
    return Engines.batched(Optional.empty(), Map.of("use-paged-cache", "true"));
  }
}
