// The operations that a transformer layer is made of: this project's primitives on a CPU, MLX's own elsewhere.
#include "cpu/attention.h"
#include "cpu/rope.h"
#include "cpu/row_ops.h"
#include "primitives.h"
#include "runtime.h"

using namespace vm;

VM_EXPORT Handle vm_rms_norm(Handle x, Handle weight, float eps) {
  return make([&] {
    auto factors = maybe(weight);
    return primitives_wanted() && cpu::takes_rms_norm(*x, factors)
        ? cpu::rms_norm(*x, factors, eps, mx::default_stream(mx::Device::cpu))
        : mx::fast::rms_norm(*x, factors, eps);
  });
}

VM_EXPORT Handle vm_layer_norm(Handle x, Handle weight, Handle bias, float eps) {
  return make([&] { return mx::fast::layer_norm(*x, maybe(weight), maybe(bias), eps); });
}

namespace {

mx::array as_array(int32_t offset) {
  return mx::array(offset);
}

const mx::array& as_array(const mx::array& offset) {
  return offset;
}

template <class Offset>
mx::array rope(Handle x, int32_t dims, int32_t traditional, float base, float scale, const Offset& offset, Handle freqs) {
  if (primitives_wanted()) {
    cpu::Rotation rotation{dims, traditional != 0, base, scale};
    auto wavelengths = maybe(freqs);
    auto position = as_array(offset);
    if (cpu::takes_rope(*x, rotation, position, wavelengths)) {
      return cpu::rope(*x, rotation, position, wavelengths, mx::default_stream(mx::Device::cpu));
    }
  }
  return mx::fast::rope(
      *x, dims, traditional != 0, freqs ? std::nullopt : std::optional<float>(base), scale, offset, maybe(freqs));
}

} // namespace

VM_EXPORT Handle vm_rope(
    Handle x, int32_t dims, int32_t traditional, float base, float scale, int32_t offset, Handle freqs) {
  return make([&] { return rope(x, dims, traditional, base, scale, offset, freqs); });
}

// offsets: one for each sequence of the first axis of x.
VM_EXPORT Handle vm_rope_at(
    Handle x, int32_t dims, int32_t traditional, float base, float scale, Handle offsets, Handle freqs) {
  return make([&] { return rope(x, dims, traditional, base, scale, *offsets, freqs); });
}

VM_EXPORT Handle vm_attention(Handle q, Handle k, Handle v, float scale, int32_t causal, Handle mask) {
  return make([&] {
    if (!mask && primitives_wanted() && cpu::takes_attention(*q, *k, *v, causal != 0)) {
      return cpu::attention(*q, *k, *v, scale, causal != 0, mx::default_stream(mx::Device::cpu));
    }
    return mx::fast::scaled_dot_product_attention(*q, *k, *v, scale, causal ? "causal" : "", maybe(mask));
  });
}

// silu(gate) * up
VM_EXPORT Handle vm_swiglu(Handle gate, Handle up) {
  return make([&] {
    if (primitives_wanted() && cpu::takes_swiglu(*gate, *up)) {
      return cpu::swiglu(*gate, *up, mx::default_stream(mx::Device::cpu));
    }
    return mx::multiply(mx::multiply(*gate, mx::sigmoid(*gate)), *up);
  });
}
