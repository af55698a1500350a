// Arrays over memory that is not MLX's own.
#pragma once

#include <functional>

#include <mlx/mlx.h>

namespace vm {

// Whether this thread's device has arrays in plain memory, laid out as foreign_array() needs it.
bool takes_foreign_memory();

// So many bytes before the data must be readable, too.
constexpr int64_t kBeforeForeign = 64;

// An array over memory, which `done` gives up when the last array over it is gone.
mlx::core::array foreign_array(char* data, mlx::core::Shape shape, mlx::core::Dtype type, std::function<void()> done);

} // namespace vm
