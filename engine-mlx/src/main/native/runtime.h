// What every file of the shim shares: handles, error reporting, and the conversion of arguments.
//
// Contract of the C functions (the Java side is dev.vllmmlx.mlx.array.Native):
// - a function that makes an array returns its handle, or null after an error;
// - any other function that can fail returns 0, or -1 after an error;
// - the message of the calling thread's last error is vm_error();
// - no exception crosses the boundary; a handle given away is freed by vm_free once.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <mlx/mlx.h>

#define VM_EXPORT extern "C" __attribute__((visibility("default")))

namespace vm {

namespace mx = mlx::core;

using Handle = mx::array*;

// Keeps the message for vm_error(); never throws.
void fail(const char* message) noexcept;

// Puts an array on the heap and counts it.
Handle wrap(mx::array a);

template <class F>
Handle make(F&& body) noexcept {
  try {
    return wrap(body());
  } catch (const std::exception& e) {
    fail(e.what());
  } catch (...) {
    fail("unknown error");
  }
  return nullptr;
}

template <class F>
int32_t run(F&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception& e) {
    fail(e.what());
  } catch (...) {
    fail("unknown error");
  }
  return -1;
}

inline std::optional<mx::array> maybe(const mx::array* a) {
  return a ? std::optional<mx::array>(*a) : std::nullopt;
}

inline mx::Shape shape(const int32_t* dims, int32_t n) {
  return mx::Shape(dims, dims + n);
}

inline std::vector<int> ints(const int32_t* values, int32_t n) {
  return std::vector<int>(values, values + n);
}

inline std::vector<mx::array> arrays(const Handle* handles, int32_t n) {
  std::vector<mx::array> out;
  out.reserve(n);
  for (int32_t i = 0; i < n; i++) out.push_back(*handles[i]);
  return out;
}

// The element type of a code: MLX's own order, which dev.vllmmlx.mlx.array.DType repeats.
mx::Dtype dtype(int32_t code);
int32_t code(mx::Dtype type);

// Where work that names no stream runs on this thread.
bool on_cpu();

} // namespace vm
