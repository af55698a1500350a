#include "floats.h"

#include <cstring>

namespace vm::cpu {

namespace mx = mlx::core;

namespace {

template <class T>
void widen(const void* from, int64_t offset, int64_t count, int64_t step, float* to) {
  auto source = static_cast<const T*>(from) + offset;
  for (int64_t i = 0; i < count; i++) to[i] = static_cast<float>(source[i * step]);
}

template <class T>
void narrow(const float* from, int64_t count, int64_t offset, void* to) {
  auto target = static_cast<T*>(to) + offset;
  for (int64_t i = 0; i < count; i++) target[i] = from[i];
}

} // namespace

bool is_float(mx::Dtype type) {
  return type == mx::float32 || type == mx::float16 || type == mx::bfloat16;
}

Float kind_of(mx::Dtype type) {
  return type == mx::float16 ? Float::f16 : type == mx::bfloat16 ? Float::bf16 : Float::f32;
}

void read_floats(const void* from, Float kind, int64_t offset, int64_t count, float* to) {
  kernels().widen(from, kind, offset, count, to);
}

void write_floats(const float* from, int64_t count, Float kind, int64_t offset, void* to) {
  switch (kind) {
    case Float::f32: std::memcpy(static_cast<float*>(to) + offset, from, count * sizeof(float)); return;
    case Float::f16: narrow<mx::float16_t>(from, count, offset, to); return;
    case Float::bf16: narrow<mx::bfloat16_t>(from, count, offset, to); return;
  }
}

Rows::Rows(const mx::array& a)
    : data_(a.data<void>()),
      kind_(kind_of(a.dtype())),
      length_(a.shape(-1)),
      rows_(static_cast<int64_t>(a.size()) / a.shape(-1)),
      step_(a.shape(-1) == 1 ? 1 : a.strides(-1)),
      dense_(a.flags().row_contiguous),
      shape_(a.shape().begin(), a.shape().end() - 1),
      strides_(a.strides().begin(), a.strides().end() - 1) {}

void Rows::read(int64_t row, float* to) const {
  int64_t at = offset(row);
  if (step_ == 1) {
    read_floats(data_, kind_, at, length_, to);
    return;
  }
  switch (kind_) {
    case Float::f32: widen<float>(data_, at, length_, step_, to); return;
    case Float::f16: widen<mx::float16_t>(data_, at, length_, step_, to); return;
    case Float::bf16: widen<mx::bfloat16_t>(data_, at, length_, step_, to); return;
  }
}

} // namespace vm::cpu
