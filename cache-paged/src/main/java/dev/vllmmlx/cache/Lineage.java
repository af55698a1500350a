package dev.vllmmlx.cache;

import java.util.Objects;

/**
 * Whose cache: the root of a chain of blocks. Sequences of different lineages never share a block,
 * whatever their tokens.
 *
 * @param model identity of the weights (and of whatever else changes keys and values, such as the
 *     type that they are kept in), the same in every process that may share a {@link BlockStore}
 * @param adapter identity of the adapter on top of the model, empty for none
 * @param tenant salt that keeps tenants apart, empty for none
 */
public record Lineage(String model, String adapter, String tenant) {
  public Lineage {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(adapter, "adapter");
    Objects.requireNonNull(tenant, "tenant");
  }
}
