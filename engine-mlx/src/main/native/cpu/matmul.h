// x w^T with dense or packed weights on a CPU stream. Sums are float32; a row's result does not depend on the other rows.
#pragma once

#include <mlx/mlx.h>

namespace vm::cpu {

// x [..., inputs] and w [outputs, inputs], each f32, f16 or bf16. Gives [..., outputs] in the type that x and w promote to.
mlx::core::array dense_matmul(const mlx::core::array& x, const mlx::core::array& w, mlx::core::Stream stream);
bool takes_dense_matmul(const mlx::core::array& x, const mlx::core::array& w);

// w [outputs, inputs * bits / 32] uint32 with scales and biases [outputs, inputs / group], as MLX packs them.
// Throws std::invalid_argument for shapes that do not fit.
mlx::core::array quantized_matmul(
    const mlx::core::array& x, const mlx::core::array& w, const mlx::core::array& scales,
    const mlx::core::array& biases, int group, int bits, mlx::core::Stream stream);
bool takes_quantized_matmul(
    const mlx::core::array& x, const mlx::core::array& w, const mlx::core::array& scales,
    const mlx::core::array& biases, bool transpose, int group, int bits);

} // namespace vm::cpu
