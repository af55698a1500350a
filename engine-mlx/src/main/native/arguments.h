// What several functions of the shim take from Java as it lies in memory.
#pragma once

#include "cpu/matmul.h"
#include "runtime.h"

namespace vm {

// A matrix of weights.
struct WeightArgument {
  Handle w, scales, biases, bias; // null for none but w
  int64_t group, bits;
};

inline cpu::Weight weight(const WeightArgument& a) {
  return {*a.w, a.scales, a.biases, a.bias, static_cast<int>(a.group), static_cast<int>(a.bits)};
}

} // namespace vm
