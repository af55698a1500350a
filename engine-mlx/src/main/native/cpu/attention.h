// softmax(q k^T * scale) v on a CPU stream.
#pragma once

#include <mlx/mlx.h>

namespace vm::cpu {

// q [batch, heads, rows, dims], k and v [batch, kv_heads, keys, dims]. Where causal, the last row sees all keys and each
// row before it one less. The result lies in memory as [batch, rows, heads, dims]: the way back to rows costs nothing.
mlx::core::array attention(
    const mlx::core::array& q, const mlx::core::array& k, const mlx::core::array& v, float scale, bool causal,
    mlx::core::Stream stream);
bool takes_attention(const mlx::core::array& q, const mlx::core::array& k, const mlx::core::array& v, bool causal);

} // namespace vm::cpu
