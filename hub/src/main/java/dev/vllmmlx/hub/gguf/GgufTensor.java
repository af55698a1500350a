package dev.vllmmlx.hub.gguf;

import java.util.List;
import java.util.Optional;

/**
 * Where a tensor lies in its file.
 *
 * @param name such as {@code blk.0.attn_q.weight}
 * @param shape in ggml's order: the innermost, contiguous dimension first, the reverse of MLX's and
 *     PyTorch's
 * @param typeCode ggml's number of the storage type
 * @param offset bytes from the file's start
 */
public record GgufTensor(String name, List<Long> shape, int typeCode, long offset) {

  public GgufTensor {
    shape = List.copyOf(shape);
  }

  /** The storage type; empty for one that is newer than this code. */
  public Optional<GgmlType> type() {
    return GgmlType.ofCode(typeCode);
  }
}
