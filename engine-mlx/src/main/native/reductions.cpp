// Along an axis: sums, extremes, order.
#include "runtime.h"

using namespace vm;

#define VM_REDUCE(name, function) \
  VM_EXPORT Handle vm_##name(Handle a, int64_t axis, int64_t keep) { \
    return make([&] { return function(*a, axis, keep != 0); }); \
  }

VM_REDUCE(sum, mx::sum)
VM_REDUCE(mean, mx::mean)
VM_REDUCE(max, mx::max)
VM_REDUCE(min, mx::min)
VM_REDUCE(all, mx::all)
VM_REDUCE(any, mx::any)
VM_REDUCE(logsumexp, mx::logsumexp)
VM_REDUCE(argmax, mx::argmax)
VM_REDUCE(argmin, mx::argmin)

VM_EXPORT Handle vm_softmax(Handle a, int64_t axis, int64_t precise) {
  return make([&] { return mx::softmax(*a, axis, precise != 0); });
}

VM_EXPORT Handle vm_cumsum(Handle a, int64_t axis) {
  return make([&] { return mx::cumsum(*a, static_cast<int>(axis)); });
}

VM_EXPORT Handle vm_sort(Handle a, int64_t axis) {
  return make([&] { return mx::sort(*a, axis); });
}

VM_EXPORT Handle vm_argsort(Handle a, int64_t axis) {
  return make([&] { return mx::argsort(*a, axis); });
}

VM_EXPORT Handle vm_argpartition(Handle a, int64_t kth, int64_t axis) {
  return make([&] { return mx::argpartition(*a, kth, axis); });
}

VM_EXPORT Handle vm_topk(Handle a, int64_t k, int64_t axis) {
  return make([&] { return mx::topk(*a, k, axis); });
}
