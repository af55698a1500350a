package dev.vllmmlx.mlx.batched;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** A model like another, with faults before its steps and in their scores. */
final class FaultyModel implements BatchModel {

  /** What may go wrong; on the engine's thread. */
  interface Fault {
    /** Before a step is computed; what it throws is the step's fault. */
    default void before(List<Chunk> chunks, Consumer<List<Chunk>> computes) {}

    /** A row's scores were computed. */
    default void scored(Row row, float[] logits) {}
  }

  private final BatchModel model;
  private final Fault fault;

  FaultyModel(BatchModel model, Fault fault) {
    this.model = model;
    this.fault = fault;
  }

  @Override
  public void step(List<Chunk> chunks, float[][] logits) {
    fault.before(chunks, some -> model.step(some, logits));
    model.step(chunks, logits);
    var scored = 0;
    for (var chunk : chunks) {
      if (chunk.last()) {
        fault.scored(chunk.row(), logits[scored++]);
      }
    }
  }

  @Override
  public KvMemory memory() {
    return model.memory();
  }

  @Override
  public void rest() {
    model.rest();
  }

  @Override
  public Map<String, Double> gauges() {
    return model.gauges();
  }

  @Override
  public int contextLength() {
    return model.contextLength();
  }

  @Override
  public int vocabularySize() {
    return model.vocabularySize();
  }

  @Override
  public void close() {
    model.close();
  }
}
