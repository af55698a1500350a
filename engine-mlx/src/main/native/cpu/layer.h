// A whole layer of a transformer for few rows, on a CPU. A decode step is some 150 primitives of microseconds each: what they
// do is done here for 30 layers, and no array is made between.
#pragma once

#include <optional>

#include <mlx/mlx.h>

#include "cached_attention.h"
#include "matmul.h"

namespace vm::cpu {

// h = x + output(attention(queries(n), keys(n), values(n))) with n = attention_norm(x), and then
// h + down(activation(gate(m)) * up(m)) with m = feed_forward_norm(h).
struct Layer {
  Norm attention_norm;
  Weight queries;
  Weight keys;
  Weight values;
  Weight output;
  CachedAttentionSettings attention;
  const mlx::core::array* query_norm; // [dims], where it has an eps
  const mlx::core::array* key_norm;
  Norm feed_forward_norm;
  Weight gate;
  Weight up;
  Weight down;
  Finish gated; // swiglu or geglu
};

// What the layer makes of x [rows, size], computed, bit for bit what its primitives give. Keys and values are written to their
// pools. Nothing, and nothing is written, where it is not for this: more rows than are computed at once, inputs that are a
// graph still, formats that the kernels do not know, or shapes that do not fit each other.
std::optional<mlx::core::array> run(const Layer& layer, const mlx::core::array& x, const CachePlaces& places);

} // namespace vm::cpu
