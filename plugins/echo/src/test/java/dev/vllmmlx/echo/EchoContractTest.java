package dev.vllmmlx.echo;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.testkit.EngineContractTest;

/** The echo engine keeps the contract. */
final class EchoContractTest extends EngineContractTest {

  @Override
  protected Engine open() {
    return new EchoEngine(new EchoSettings("echo", 0, 64, 8, 4096));
  }
}
