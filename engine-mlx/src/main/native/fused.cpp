// The operations that a transformer layer is made of.
#include "runtime.h"

using namespace vm;

VM_EXPORT Handle vm_rms_norm(Handle x, Handle weight, float eps) {
  return make([&] { return mx::fast::rms_norm(*x, maybe(weight), eps); });
}

VM_EXPORT Handle vm_layer_norm(Handle x, Handle weight, Handle bias, float eps) {
  return make([&] { return mx::fast::layer_norm(*x, maybe(weight), maybe(bias), eps); });
}

namespace {

template <class Offset>
mx::array rope(Handle x, int32_t dims, int32_t traditional, float base, float scale, const Offset& offset, Handle freqs) {
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
    return mx::fast::scaled_dot_product_attention(*q, *k, *v, scale, causal ? "causal" : "", maybe(mask));
  });
}

// silu(gate) * up
VM_EXPORT Handle vm_swiglu(Handle gate, Handle up) {
  return make([&] { return mx::multiply(mx::multiply(*gate, mx::sigmoid(*gate)), *up); });
}
