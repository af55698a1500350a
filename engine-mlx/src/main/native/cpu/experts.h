// Products with weights that are chosen row by row, as in a mixture of experts, on a CPU stream. Sums are float32; a row's
// result does not depend on the other rows.
#pragma once

#include "matmul.h"

namespace vm::cpu {

// x [n, inputs]; rows and experts [pairs] int32; weight.w [experts, outputs, inputs], or packed along its last axis, with a
// bias of [experts, outputs] or none. Gives [pairs, outputs]: row rows[p] of x times expert experts[p]. Indices out of
// range are the nearest in range.
mlx::core::array expert_product(
    const mlx::core::array& x, const mlx::core::array& rows, const mlx::core::array& experts, const Weight& weight,
    mlx::core::Stream stream);
bool takes_expert_product(const mlx::core::array& x, const Weight& weight);

// x [..., outputs] times a packed matrix as it is, not transposed: [..., inputs].
mlx::core::array product_across(const mlx::core::array& x, const Weight& weight, mlx::core::Stream stream);
bool takes_product_across(const mlx::core::array& x, const Weight& weight);

} // namespace vm::cpu
