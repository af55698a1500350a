#include "primitive.h"

namespace vm::cpu {

namespace mx = mlx::core;

void allocate_strided(mx::array& out, mx::Strides strides) {
  int rank = static_cast<int>(out.ndim());
  auto packed = [&](int from, int to, int step) { // axes ordered from the slowest to the fastest
    int64_t expected = 1;
    for (int axis = from; axis != to; axis += step) {
      if (out.shape(axis) != 1 && strides[axis] != expected) return false;
      expected *= out.shape(axis);
    }
    return true;
  };
  mx::array::Flags flags{true, packed(rank - 1, -1, -1), packed(0, rank, 1)};
  out.set_data(mx::allocator::malloc(out.nbytes()), out.size(), std::move(strides), flags);
}

} // namespace vm::cpu
