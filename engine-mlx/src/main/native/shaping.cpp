// Shapes, slices, gathering and joining.
#include "runtime.h"

using namespace vm;

VM_EXPORT Handle vm_reshape(Handle a, const int32_t* dims, int64_t n) {
  return make([&] { return mx::reshape(*a, shape(dims, n)); });
}

// n = 0 reverses the axes.
VM_EXPORT Handle vm_transpose(Handle a, const int32_t* axes, int64_t n) {
  return make([&] { return n == 0 ? mx::transpose(*a) : mx::transpose(*a, ints(axes, n)); });
}

VM_EXPORT Handle vm_swapaxes(Handle a, int64_t first, int64_t second) {
  return make([&] { return mx::swapaxes(*a, first, second); });
}

VM_EXPORT Handle vm_expand_dims(Handle a, int64_t axis) {
  return make([&] { return mx::expand_dims(*a, axis); });
}

VM_EXPORT Handle vm_squeeze(Handle a, int64_t axis) {
  return make([&] { return mx::squeeze(*a, axis); });
}

VM_EXPORT Handle vm_flatten(Handle a, int64_t first, int64_t last) {
  return make([&] { return mx::flatten(*a, first, last); });
}

VM_EXPORT Handle vm_broadcast_to(Handle a, const int32_t* dims, int64_t n) {
  return make([&] { return mx::broadcast_to(*a, shape(dims, n)); });
}

VM_EXPORT Handle vm_contiguous(Handle a) {
  return make([&] { return mx::contiguous(*a); });
}

// bounds: n starts, n stops, n strides.
VM_EXPORT Handle vm_slice(Handle a, const int32_t* bounds, int64_t n) {
  return make([&] { return mx::slice(*a, shape(bounds, n), shape(bounds + n, n), shape(bounds + 2 * n, n)); });
}

VM_EXPORT Handle vm_slice_update(Handle a, Handle update, const int32_t* bounds, int64_t n) {
  return make([&] {
    return mx::slice_update(*a, *update, shape(bounds, n), shape(bounds + n, n), shape(bounds + 2 * n, n));
  });
}

VM_EXPORT Handle vm_concatenate(const Handle* handles, int64_t n, int64_t axis) {
  return make([&] { return mx::concatenate(arrays(handles, n), axis); });
}

VM_EXPORT Handle vm_stack(const Handle* handles, int64_t n, int64_t axis) {
  return make([&] { return mx::stack(arrays(handles, n), axis); });
}

// Into `parts` equal pieces; their handles go to out.
VM_EXPORT int64_t vm_split(Handle a, int64_t parts, int64_t axis, Handle* out) {
  return run([&] {
    auto pieces = mx::split(*a, parts, axis);
    for (size_t i = 0; i < pieces.size(); i++) out[i] = wrap(std::move(pieces[i]));
  });
}

VM_EXPORT Handle vm_repeat(Handle a, int64_t times, int64_t axis) {
  return make([&] { return mx::repeat(*a, times, axis); });
}

VM_EXPORT Handle vm_take(Handle a, Handle indices, int64_t axis) {
  return make([&] { return mx::take(*a, *indices, axis); });
}

VM_EXPORT Handle vm_take_along_axis(Handle a, Handle indices, int64_t axis) {
  return make([&] { return mx::take_along_axis(*a, *indices, axis); });
}

VM_EXPORT Handle vm_put_along_axis(Handle a, Handle indices, Handle values, int64_t axis) {
  return make([&] { return mx::put_along_axis(*a, *indices, *values, axis); });
}

VM_EXPORT Handle vm_tril(Handle a, int64_t diagonal) {
  return make([&] { return mx::tril(*a, diagonal); });
}
