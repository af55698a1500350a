package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineOption;
import dev.vllmmlx.spi.testkit.EngineContractTest;
import java.util.Optional;
import java.util.stream.Collectors;

/** The simple engine keeps the contract, on the default model. */
final class SimpleEngineContractTest extends EngineContractTest {

  @Override
  protected Engine open() {
    var provider = new SimpleEngineProvider();
    var defaults =
        provider.options().stream()
            .filter(option -> !option.defaultValue().isEmpty())
            .collect(Collectors.toMap(EngineOption::name, EngineOption::defaultValue));
    return provider.open(
        new EngineContext(Optional.empty(), Optional.empty(), defaults, (step, done, total) -> {}));
  }
}
