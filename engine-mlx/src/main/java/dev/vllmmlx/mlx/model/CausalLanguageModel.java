package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.nn.ForwardPass;
import java.util.List;

/**
 * A decoder-only transformer over rows of tokens.
 *
 * <p>Rows are flattened: a row knows neither its sequence nor its position, the {@link ForwardPass}
 * does. So the same model runs one sequence, a chunk of a prompt, or a batch of sequences, over
 * whatever cache the pass writes to. To be called on MLX's owner thread only. Arrays that come back
 * are lazy, and belong to the scope that is open when the method is called.
 */
public interface CausalLanguageModel {

  /** What the checkpoint says of itself. */
  ModelConfig config();

  /** What hidden states, keys and values are computed in. */
  DType type();

  /** What each layer keeps in a cache, in {@link #type}, first layer first. */
  List<KvLayer> kvLayers();

  /**
   * Runs the layers and the last norm.
   *
   * @param tokenIds {@code [rows]} int32, each below the size of the vocabulary
   * @param pass where each row stands, and what it attends to
   * @return {@code [rows, hiddenSize]}, in the dtype that the model computes in
   */
  Array hidden(Array tokenIds, ForwardPass pass);

  /**
   * The output head. A prefill gives it the last row alone.
   *
   * @param rows {@code [rows, hiddenSize]} of what {@link #hidden} gave
   * @return {@code [rows, vocabularySize]}, in the dtype that the model computes in
   */
  Array logits(Array rows);
}
