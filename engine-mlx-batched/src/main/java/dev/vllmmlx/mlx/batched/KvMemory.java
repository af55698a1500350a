package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.nn.ForwardPass;
import java.util.List;
import java.util.Map;

/** The memory for keys and values of all sequences, within a budget. On the engine's thread. */
interface KvMemory extends AutoCloseable {

  /** Tokens of one sequence that fit if there is no other. */
  int capacity();

  /**
   * Memory for a sequence that is about to be computed, with as much of its beginning as is stored
   * already, but for the last token at least.
   *
   * @param tenant tenants share nothing
   */
  SequenceKv open(String tenant, int[] tokens);

  /**
   * Whether a row can be taken up, and others go on for a while. What it would share with those
   * that are computed now takes no room.
   *
   * @param running sequences that are computed now
   */
  boolean admits(Row row, int running);

  /**
   * The pass of a step's rows: those of each chunk in their order.
   *
   * @param chunks of sequences that have reserved room for them
   */
  ForwardPass pass(List<Chunk> chunks);

  /** A step's boundary: time for a little of what is not urgent. */
  default void boundary() {}

  /** A step of so many rows has taken so long. */
  default void took(int rows, long nanos) {}

  /** Computes what passes have written so far. */
  void evaluate();

  /**
   * A pass failed half-way: whatever it wrote to is forgotten. Every sequence must be discarded
   * first.
   */
  void reset();

  /** Figures for the status. */
  Map<String, Double> gauges();

  @Override
  void close();
}
