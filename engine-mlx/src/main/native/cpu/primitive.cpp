#include "primitive.h"

#include <algorithm>

namespace vm::cpu {

namespace mx = mlx::core;

std::vector<mx::array> Primitive::results(
    std::shared_ptr<Primitive> op, std::vector<mx::array> inputs, std::vector<mx::Shape> shapes,
    const std::vector<mx::Dtype>& types) {
  int64_t rows = 1;
  for (size_t axis = 0; axis + 1 < shapes[0].size(); axis++) rows *= shapes[0][axis];
  // What still is a node of a graph leaves its followers nodes: one evaluation for all of them is cheaper than one for each.
  bool there = std::all_of(inputs.begin(), inputs.end(), [](const mx::array& input) { return input.is_available(); });
  if (rows > kRowsComputedAtOnce || !there) return mx::array::make_arrays(std::move(shapes), types, op, inputs);
  std::vector<mx::array> outputs;
  for (size_t i = 0; i < shapes.size(); i++) outputs.emplace_back(std::move(shapes[i]), types[i], nullptr, std::vector<mx::array>{});
  op->allocate(inputs, outputs);
  op->task(inputs, outputs)();
  for (auto& out : outputs) out.set_status(mx::array::Status::available);
  return outputs;
}

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
