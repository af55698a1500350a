// Making arrays, looking at them, and bringing their data to Java.
#include "runtime.h"

#include <cstring>

#include <mlx/random.h>

using namespace vm;

// Copies the data, which is `bytes` long and row-major.
VM_EXPORT Handle vm_from_data(const void* data, int64_t bytes, const int32_t* dims, int64_t n, int64_t type) {
  return make([&] {
    auto want = mx::array(mx::allocator::malloc(bytes), shape(dims, n), dtype(type));
    if (static_cast<int64_t>(want.nbytes()) != bytes) {
      throw std::invalid_argument(
          "[array] " + std::to_string(bytes) + " bytes of data do not fill a shape of " +
          std::to_string(want.nbytes()) + " bytes");
    }
    std::memcpy(want.data<char>(), data, bytes);
    return want;
  });
}

VM_EXPORT Handle vm_full(const int32_t* dims, int64_t n, double value, int64_t type) {
  return make([&] {
    auto element = dtype(type);
    return mx::issubdtype(element, mx::integer)
        ? mx::full(shape(dims, n), mx::array(static_cast<int64_t>(value), element), element)
        : mx::full(shape(dims, n), mx::array(static_cast<float>(value)), element);
  });
}

VM_EXPORT Handle vm_arange(double start, double stop, double step, int64_t type) {
  return make([&] { return mx::arange(start, stop, step, dtype(type)); });
}

VM_EXPORT Handle vm_random_uniform(int64_t seed, double low, double high, const int32_t* dims, int64_t n, int64_t type) {
  return make([&] {
    return mx::random::uniform(
        mx::array(static_cast<float>(low)), mx::array(static_cast<float>(high)), shape(dims, n), dtype(type),
        mx::random::key(static_cast<uint64_t>(seed)));
  });
}

VM_EXPORT Handle vm_random_normal(int64_t seed, double mean, double deviation, const int32_t* dims, int64_t n, int64_t type) {
  return make([&] {
    return mx::random::normal(
        shape(dims, n), dtype(type), static_cast<float>(mean), static_cast<float>(deviation),
        mx::random::key(static_cast<uint64_t>(seed)));
  });
}

// A second handle on the same array.
VM_EXPORT Handle vm_share(Handle a) {
  return make([&] { return *a; });
}

// out: element type, number of dimensions, then the dimensions (at most `room` of them).
VM_EXPORT int64_t vm_describe(Handle a, int32_t* out, int64_t room) {
  return run([&] {
    auto dims = static_cast<int32_t>(a->ndim());
    if (dims > room) throw std::invalid_argument("an array of " + std::to_string(dims) + " dimensions is too deep");
    out[0] = code(a->dtype());
    out[1] = dims;
    for (int32_t i = 0; i < dims; i++) out[2 + i] = a->shape(i);
  });
}

VM_EXPORT int64_t vm_eval(const Handle* handles, int64_t n) {
  return run([&] { mx::eval(arrays(handles, n)); });
}

VM_EXPORT int64_t vm_async_eval(const Handle* handles, int64_t n) {
  return run([&] { mx::async_eval(arrays(handles, n)); });
}

// Evaluates and gives the address of the data, or null where it does not lie row-major in one piece. An error is -1.
VM_EXPORT int64_t vm_address(Handle a) {
  int64_t address = -1;
  run([&] {
    a->eval();
    address = a->flags().row_contiguous ? reinterpret_cast<int64_t>(a->data<char>()) : 0;
  });
  return address;
}
