// x @ dequantize(w).T on a CPU stream.
#pragma once

#include "mlx/array.h"
#include "mlx/utils.h"

namespace vm::cpu {

// x [..., inputs] in f32, f16 or bf16; w [outputs, inputs * bits / 32] uint32 with scales and biases
// [outputs, inputs / group] as MLX packs them. Gives [..., outputs] in x's dtype; sums are float32.
// Throws std::invalid_argument for shapes that do not fit.
mlx::core::array quantized_matmul(const mlx::core::array& x, const mlx::core::array& w,
                                  const mlx::core::array& scales, const mlx::core::array& biases,
                                  int group, int bits, mlx::core::Stream stream);

// Whether the primitive takes these, or MLX's own op has to.
bool takes_quantized_matmul(const mlx::core::array& x, const mlx::core::array& w,
                            const mlx::core::array& scales, bool transpose, int group, int bits);

}  // namespace vm::cpu
