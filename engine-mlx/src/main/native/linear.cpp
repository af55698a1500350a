// Matrix products, dense and quantized.
#include "cpu/matmul.h"
#include "primitives.h"
#include "runtime.h"

using namespace vm;

VM_EXPORT Handle vm_matmul(Handle a, Handle b) {
  return make([&] { return mx::matmul(*a, *b); });
}

// x times the transpose of w [outputs, inputs], plus bias [outputs] where there is one.
VM_EXPORT Handle vm_linear(Handle x, Handle w, Handle bias) {
  return make([&] {
    if (primitives_wanted() && cpu::takes_dense_matmul(*x, *w)) {
      auto y = cpu::dense_matmul(*x, *w, mx::default_stream(mx::Device::cpu));
      return bias ? mx::add(y, *bias) : y;
    }
    auto transposed = mx::swapaxes(*w, -1, -2);
    return bias ? mx::addmm(*bias, *x, transposed) : mx::matmul(*x, transposed);
  });
}

VM_EXPORT Handle vm_addmm(Handle c, Handle a, Handle b, float alpha, float beta) {
  return make([&] { return mx::addmm(*c, *a, *b, alpha, beta); });
}

VM_EXPORT Handle vm_quantized_matmul(
    Handle x, Handle w, Handle scales, Handle biases, int32_t transpose, int32_t group_size, int32_t bits) {
  return make([&] {
    if (biases && primitives_wanted() && cpu::takes_quantized_matmul(*x, *w, *scales, *biases, transpose != 0, group_size, bits)) {
      return cpu::quantized_matmul(
          *x, *w, *scales, *biases, group_size, bits, mx::default_stream(mx::Device::cpu));
    }
    return mx::quantized_matmul(*x, *w, *scales, maybe(biases), transpose != 0, group_size, bits);
  });
}

// Affine: the packed weights, scales and biases go to out[0..2].
VM_EXPORT int32_t vm_quantize(Handle w, int32_t group_size, int32_t bits, Handle* out) {
  return run([&] {
    auto parts = mx::quantize(*w, group_size, bits);
    for (size_t i = 0; i < 3; i++) out[i] = wrap(parts.at(i));
  });
}

VM_EXPORT Handle vm_dequantize(Handle w, Handle scales, Handle biases, int32_t group_size, int32_t bits) {
  return make([&] { return mx::dequantize(*w, *scales, maybe(biases), group_size, bits); });
}

VM_EXPORT Handle vm_gather_mm(Handle a, Handle b, Handle lhs, Handle rhs, int32_t sorted) {
  return make([&] { return mx::gather_mm(*a, *b, maybe(lhs), maybe(rhs), sorted != 0); });
}

VM_EXPORT Handle vm_gather_qmm(
    Handle x, Handle w, Handle scales, Handle biases, Handle lhs, Handle rhs, int32_t transpose, int32_t group_size,
    int32_t bits, int32_t sorted) {
  return make([&] {
    return mx::gather_qmm(
        *x, *w, *scales, maybe(biases), maybe(lhs), maybe(rhs), transpose != 0, group_size, bits, "affine",
        std::nullopt, sorted != 0);
  });
}
