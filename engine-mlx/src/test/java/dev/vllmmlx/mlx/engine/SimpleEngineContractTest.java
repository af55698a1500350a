package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.testkit.EngineContractTest;
import java.util.Map;
import java.util.Optional;

/** The simple engine keeps the contract, on the default model. */
final class SimpleEngineContractTest extends EngineContractTest {

  @Override
  protected Engine open() {
    var provider = new SimpleEngineProvider();
    return provider.open(EngineDefaults.context(provider, Optional.empty(), Map.of()));
  }
}
