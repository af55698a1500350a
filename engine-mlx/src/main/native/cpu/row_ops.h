// Norm and gated activation on a CPU stream: row by row, so that a result does not depend on the batch. Shapes and types
// are as in MLX's own operations; sums are float32.
#pragma once

#include <optional>

#include <mlx/mlx.h>

#include "kernels.h"

namespace vm::cpu {

// x [..., n]; weight [n] or none.
mlx::core::array rms_norm(
    const mlx::core::array& x, const std::optional<mlx::core::array>& weight, float eps, mlx::core::Stream stream);
bool takes_rms_norm(const mlx::core::array& x, const std::optional<mlx::core::array>& weight);

// activation(gate) * up, of one shape and type.
mlx::core::array gated(
    Activation activation, const mlx::core::array& gate, const mlx::core::array& up, mlx::core::Stream stream);
bool takes_gated(const mlx::core::array& gate, const mlx::core::array& up);

} // namespace vm::cpu
