// Element by element: arithmetic, comparison, functions of one value.
#include "runtime.h"

using namespace vm;

namespace {

// A scalar takes the array's type where it can, as in Python: a real number makes integers float32,
// an integer makes booleans int32.
mx::array scalar(const mx::array& a, double value, bool real) {
  auto type = a.dtype();
  if (real && !mx::issubdtype(type, mx::inexact)) type = mx::float32;
  if (!real && type == mx::bool_) type = mx::int32;
  if (mx::issubdtype(type, mx::integer)) return mx::array(static_cast<int64_t>(value), type);
  return mx::array(static_cast<float>(value), type);
}

} // namespace

#define VM_UNARY(name, expression) \
  VM_EXPORT Handle vm_##name(Handle a) { \
    return make([&] { return expression; }); \
  }

VM_UNARY(abs, mx::abs(*a))
VM_UNARY(negative, mx::negative(*a))
VM_UNARY(exp, mx::exp(*a))
VM_UNARY(log, mx::log(*a))
VM_UNARY(sqrt, mx::sqrt(*a))
VM_UNARY(rsqrt, mx::rsqrt(*a))
VM_UNARY(square, mx::square(*a))
VM_UNARY(sin, mx::sin(*a))
VM_UNARY(cos, mx::cos(*a))
VM_UNARY(tanh, mx::tanh(*a))
VM_UNARY(erf, mx::erf(*a))
VM_UNARY(sigmoid, mx::sigmoid(*a))
VM_UNARY(silu, mx::multiply(*a, mx::sigmoid(*a)))
VM_UNARY(floor, mx::floor(*a))
VM_UNARY(round, mx::round(*a))
VM_UNARY(logical_not, mx::logical_not(*a))
VM_UNARY(isnan, mx::isnan(*a))
VM_UNARY(isfinite, mx::isfinite(*a))

// Each with an array, and with a scalar on the right.
#define VM_BINARY(name) \
  VM_EXPORT Handle vm_##name(Handle a, Handle b) { \
    return make([&] { return mx::name(*a, *b); }); \
  } \
  VM_EXPORT Handle vm_##name##_scalar(Handle a, double b, int64_t real) { \
    return make([&] { return mx::name(*a, scalar(*a, b, real)); }); \
  }

VM_BINARY(add)
VM_BINARY(subtract)
VM_BINARY(multiply)
VM_BINARY(divide)
VM_BINARY(floor_divide)
VM_BINARY(remainder)
VM_BINARY(power)
VM_BINARY(maximum)
VM_BINARY(minimum)
VM_BINARY(equal)
VM_BINARY(not_equal)
VM_BINARY(less)
VM_BINARY(less_equal)
VM_BINARY(greater)
VM_BINARY(greater_equal)
VM_BINARY(logical_and)
VM_BINARY(logical_or)

VM_EXPORT Handle vm_where(Handle condition, Handle a, Handle b) {
  return make([&] { return mx::where(*condition, *a, *b); });
}

VM_EXPORT Handle vm_clip(Handle a, double low, double high) {
  return make([&] { return mx::clip(*a, scalar(*a, low, true), scalar(*a, high, true)); });
}

VM_EXPORT Handle vm_astype(Handle a, int64_t type) {
  return make([&] { return mx::astype(*a, dtype(type)); });
}

// The same bits read as another element type.
VM_EXPORT Handle vm_view_as(Handle a, int64_t type) {
  return make([&] { return mx::view(*a, dtype(type)); });
}
