// By MLX's own ops: what several shim functions fall back to.
#pragma once

#include <mlx/mlx.h>

#include "cpu/kernels.h"

namespace vm {

inline mlx::core::array stock_gated(cpu::Activation activation, const mlx::core::array& gate, const mlx::core::array& up) {
  namespace mx = mlx::core;
  auto t = gate;
  if (activation == cpu::Activation::gelu) {
    auto number = [&](float v) { return mx::array(v, gate.dtype()); };
    auto cubic = mx::multiply(mx::multiply(gate, mx::multiply(gate, gate)), number(0.044715f));
    t = mx::multiply(mx::add(gate, cubic), number(1.5957691216057308f));
  }
  return mx::multiply(mx::multiply(gate, mx::sigmoid(t)), up);
}

} // namespace vm
