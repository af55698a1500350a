package com.example.markov;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.testkit.EngineContractTest;
import java.util.Map;
import java.util.Optional;

/** The engine keeps the contract. */
class MarkovContractTest extends EngineContractTest {

  @Override
  protected Engine open() {
    return new MarkovProvider()
        .open(
            new EngineContext(
                Optional.empty(), Optional.empty(), Map.of(), (step, done, total) -> {}));
  }
}
