#include "matmul.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "floats.h"
#include "kernels.h"
#include "pool.h"
#include "primitive.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

// So many rows at once: they stay in the second-level cache while the weights stream by.
constexpr int64_t kRowsAtOnce = 32;
// The kernels keep the scales of an output on the stack.
constexpr int64_t kMostGroups = 4096;

// Multiplies blocks of rows: `prepare` brings one row to the form that `multiply` takes.
template <class Prepare, class Multiply>
void in_blocks(
    const Rows& x, int64_t outputs, int64_t stride, void* to, Float kind, const Prepare& prepare,
    const Multiply& multiply) {
  int64_t most = std::min(x.rows(), kRowsAtOnce);
  std::unique_ptr<float[]> prepared(new float[most * stride]);
  std::unique_ptr<float[]> results(kind == Float::f32 ? nullptr : new float[most * outputs]);
  for (int64_t first = 0; first < x.rows(); first += most) {
    int64_t now = std::min(most, x.rows() - first);
    parallel_for(now, 8, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) prepare(first + r, prepared.get() + r * stride);
    });
    float* y = kind == Float::f32 ? static_cast<float*>(to) + first * outputs : results.get();
    parallel_for(outputs, 16, [&](int64_t begin, int64_t end) { multiply(prepared.get(), now, begin, end, y); });
    if (kind != Float::f32) write_floats(y, now * outputs, kind, first * outputs, to);
  }
}

class DenseMatmul : public Primitive {
 public:
  using Primitive::Primitive;

  const char* name() const override { return "VmDenseMatmul"; }

 protected:
  std::function<void()> task(const std::vector<mx::array>& inputs, mx::array& out) override {
    auto& w = inputs[1];
    return [x = Rows(inputs[0]), w = Dense{w.data<void>(), kind_of(w.dtype()), w.shape(1)}, to = out.data<void>(),
            kind = kind_of(out.dtype()), outputs = static_cast<int64_t>(out.shape(-1))] {
      auto prepare = [&](int64_t row, float* prepared) { x.read(row, prepared); };
      auto multiply = [&](const float* rows, int64_t count, int64_t begin, int64_t end, float* y) {
        kernels().multiply_dense(w, rows, w.inputs, count, begin, end, y, outputs);
      };
      in_blocks(x, outputs, w.inputs, to, kind, prepare, multiply);
    };
  }
};

class QuantizedMatmul : public Primitive {
 public:
  QuantizedMatmul(mx::Stream stream, int group, int bits) : Primitive(stream), group_(group), bits_(bits) {}

  const char* name() const override { return "VmQuantizedMatmul"; }

 protected:
  std::function<void()> task(const std::vector<mx::array>& inputs, mx::array& out) override {
    Quantized w{inputs[1].data<uint8_t>(), inputs[2].data<void>(),          inputs[3].data<void>(),
                kind_of(inputs[2].dtype()), inputs[0].shape(-1), group_, bits_};
    return [x = Rows(inputs[0]), w, to = out.data<void>(), kind = kind_of(out.dtype()),
            outputs = static_cast<int64_t>(out.shape(-1))] {
      auto& set = kernels();
      auto prepare = [&](int64_t row, float* prepared) {
        thread_local std::vector<float> room;
        room.resize(w.inputs);
        set.prepare(w, x.floats(row, room.data()), prepared);
      };
      int64_t stride = set.prepared_size(w);
      auto multiply = [&](const float* rows, int64_t count, int64_t begin, int64_t end, float* y) {
        set.multiply(w, rows, count, begin, end, y, outputs);
      };
      in_blocks(x, outputs, stride, to, kind, prepare, multiply);
    };
  }

 private:
  int group_;
  int bits_;
};

mx::Shape result_shape(const mx::array& x, const mx::array& w) {
  auto shape = x.shape();
  shape.back() = w.shape(0);
  return shape;
}

} // namespace

bool takes_dense_matmul(const mx::array& x, const mx::array& w) {
  return w.ndim() == 2 && x.ndim() >= 1 && x.size() > 0 && w.size() > 0 && x.shape(-1) == w.shape(1) &&
      is_float(x.dtype()) && is_float(w.dtype());
}

mx::array dense_matmul(const mx::array& x, const mx::array& w, mx::Stream stream) {
  return mx::array(
      result_shape(x, w), mx::result_type(x, w), std::make_shared<DenseMatmul>(stream), {x, row_major(w, stream)});
}

bool takes_quantized_matmul(
    const mx::array& x, const mx::array& w, const mx::array& scales, const mx::array& biases, bool transpose, int group,
    int bits) {
  return transpose && w.ndim() == 2 && x.ndim() >= 1 && x.size() > 0 && w.size() > 0 && is_float(x.dtype()) &&
      is_float(scales.dtype()) && scales.dtype() == biases.dtype() &&
      (group == 32 || group == 64 || group == 128) &&
      (bits == 2 || bits == 3 || bits == 4 || bits == 5 || bits == 6 || bits == 8) &&
      x.shape(-1) / group <= kMostGroups;
}

mx::array quantized_matmul(
    const mx::array& x, const mx::array& w, const mx::array& scales, const mx::array& biases, int group, int bits,
    mx::Stream stream) {
  int64_t inputs = x.shape(-1);
  if (w.dtype() != mx::uint32 || static_cast<int64_t>(w.shape(-1)) * 32 != inputs * bits) {
    throw std::invalid_argument(
        "[quantized_matmul] the last dimension of x, " + std::to_string(inputs) + ", does not fit rows of " +
        std::to_string(w.shape(-1)) + " words with " + std::to_string(bits) + " bits a weight");
  }
  if (scales.shape() != biases.shape() || scales.ndim() != 2 || scales.shape(0) != w.shape(0) ||
      static_cast<int64_t>(scales.shape(1)) * group != inputs) {
    throw std::invalid_argument("[quantized_matmul] scales and biases must both be [outputs, inputs / group]");
  }
  return mx::array(
      result_shape(x, w), mx::result_type(x, scales), std::make_shared<QuantizedMatmul>(stream, group, bits),
      {x, row_major(w, stream), row_major(scales, stream), row_major(biases, stream)});
}

} // namespace vm::cpu
