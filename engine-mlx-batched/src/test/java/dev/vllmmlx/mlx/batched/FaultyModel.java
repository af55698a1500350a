package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.nn.ForwardPass;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** A model like another, with faults in its memory, before its steps and in their scores. */
final class FaultyModel implements BatchModel {

  /** What may go wrong; on the engine's thread. */
  interface Fault {
    /** Before a step is computed; what it throws is the step's fault. */
    default void before(List<Chunk> chunks, Consumer<List<Chunk>> computes) {}

    /** Before a sequence gets memory; what it throws is the memory's fault. */
    default void opening(int[] tokens) {}

    /** Between two steps; what it throws is the memory's fault. */
    default void boundary() {}

    /** Before the memory is laid out anew; what it throws ends the engine. */
    default void resetting() {}

    /** A row's scores were computed. */
    default void scored(Row row, float[] logits) {}
  }

  private final BatchModel model;
  private final Fault fault;
  private final KvMemory memory;

  FaultyModel(BatchModel model, Fault fault) {
    this.model = model;
    this.fault = fault;
    this.memory = new Memory(model.memory(), fault);
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
    return memory;
  }

  private record Memory(KvMemory memory, Fault fault) implements KvMemory {
    @Override
    public SequenceKv open(String tenant, int[] tokens) {
      fault.opening(tokens);
      return memory.open(tenant, tokens);
    }

    @Override
    public int capacity() {
      return memory.capacity();
    }

    @Override
    public boolean admits(Row row, int running) {
      return memory.admits(row, running);
    }

    @Override
    public ForwardPass pass(List<Chunk> chunks) {
      return memory.pass(chunks);
    }

    @Override
    public void boundary() {
      fault.boundary();
      memory.boundary();
    }

    @Override
    public void took(int rows, long nanos) {
      memory.took(rows, nanos);
    }

    @Override
    public void evaluate() {
      memory.evaluate();
    }

    @Override
    public void reset() {
      fault.resetting();
      memory.reset();
    }

    @Override
    public Map<String, Double> gauges() {
      return memory.gauges();
    }

    @Override
    public void close() {
      memory.close();
    }
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
