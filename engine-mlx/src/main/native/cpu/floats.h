// Rows of any float dtype as float32 and back.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels.h"
#include "mlx/array.h"
#include "mlx/types/half_types.h"

namespace vm::cpu {

inline Float float_kind(mlx::core::Dtype dtype) {
  return dtype == mlx::core::float16    ? Float::f16
         : dtype == mlx::core::bfloat16 ? Float::bf16
                                        : Float::f32;
}

inline bool is_float_kind(mlx::core::Dtype dtype) {
  return dtype == mlx::core::float32 || dtype == mlx::core::float16 ||
         dtype == mlx::core::bfloat16;
}

inline void read_floats(const void* from, Float kind, int64_t offset, int64_t count, float* to) {
  switch (kind) {
    case Float::f32:
      std::memcpy(to, static_cast<const float*>(from) + offset, count * sizeof(float));
      return;
    case Float::f16:
      for (int64_t i = 0; i < count; i++) {
        to[i] = static_cast<float>(static_cast<const mlx::core::float16_t*>(from)[offset + i]);
      }
      return;
    case Float::bf16:
      for (int64_t i = 0; i < count; i++) {
        to[i] = static_cast<float>(static_cast<const mlx::core::bfloat16_t*>(from)[offset + i]);
      }
      return;
  }
}

inline void write_floats(const float* from, int64_t count, Float kind, int64_t offset, void* to) {
  switch (kind) {
    case Float::f32:
      std::memcpy(static_cast<float*>(to) + offset, from, count * sizeof(float));
      return;
    case Float::f16:
      for (int64_t i = 0; i < count; i++) {
        static_cast<mlx::core::float16_t*>(to)[offset + i] = from[i];
      }
      return;
    case Float::bf16:
      for (int64_t i = 0; i < count; i++) {
        static_cast<mlx::core::bfloat16_t*>(to)[offset + i] = from[i];
      }
      return;
  }
}

}  // namespace vm::cpu
