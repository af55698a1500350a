#include "quantized_matmul.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "floats.h"
#include "kernels.h"
#include "mlx/allocator.h"
#include "mlx/backend/cpu/encoder.h"
#include "mlx/ops.h"
#include "mlx/primitives.h"
#include "pool.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

// So many rows at once: their prepared form stays in the second-level cache while weights stream by.
constexpr int64_t kRowsAtOnce = 32;
// The kernels keep one output's scales on the stack.
constexpr int64_t kMostGroups = 4096;

class QuantizedMatmul : public mx::Primitive {
 public:
  QuantizedMatmul(mx::Stream stream, int group, int bits)
      : Primitive(stream), group_(group), bits_(bits) {}

  void eval_cpu(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& out = outputs[0];
    out.set_data(mx::allocator::malloc(out.nbytes()));
    auto& encoder = mx::cpu::get_command_encoder(stream());
    for (auto& input : inputs) {
      encoder.set_input_array(input);
    }
    encoder.set_output_array(out);
    auto& x = inputs[0];
    Quantized w{inputs[1].data<uint8_t>(),
                inputs[2].data<void>(),
                inputs[3].data<void>(),
                float_kind(inputs[2].dtype()),
                x.shape(-1),
                group_,
                bits_};
    encoder.dispatch([w, from = x.data<void>(), to = out.data<void>(), kind = float_kind(x.dtype()),
                      rows = static_cast<int64_t>(x.size() / x.shape(-1)),
                      count = static_cast<int64_t>(out.shape(-1))] {
      multiply(w, from, rows, count, kind, to);
    });
  }

  void eval_gpu(const std::vector<mx::array>&, std::vector<mx::array>&) override {
    throw std::runtime_error("QuantizedMatmul of the CPU was put on a GPU stream");
  }

  const char* name() const override { return "VmQuantizedMatmul"; }

  bool is_equivalent(const mx::Primitive& other) const override {
    auto& o = static_cast<const QuantizedMatmul&>(other);
    return o.group_ == group_ && o.bits_ == bits_;
  }

 private:
  static void multiply(const Quantized& w, const void* from, int64_t rows, int64_t count,
                       Float kind, void* to) {
    auto& set = kernels();
    int64_t stride = set.prepared_size(w);
    int64_t most = std::min(rows, kRowsAtOnce);
    std::unique_ptr<float[]> prepared(new float[most * stride]);
    std::unique_ptr<float[]> converted(kind == Float::f32 ? nullptr : new float[most * count]);
    for (int64_t first = 0; first < rows; first += most) {
      int64_t now = std::min(most, rows - first);
      parallel_for(now, 4, [&](int64_t begin, int64_t end) {
        std::vector<float> row(w.inputs);
        for (int64_t r = begin; r < end; r++) {
          read_floats(from, kind, (first + r) * w.inputs, w.inputs, row.data());
          set.prepare(w, row.data(), prepared.get() + r * stride);
        }
      });
      float* y = kind == Float::f32 ? static_cast<float*>(to) + first * count : converted.get();
      parallel_for(count, 16, [&](int64_t begin, int64_t end) {
        set.multiply(w, prepared.get(), now, begin, end, y, count);
      });
      if (kind != Float::f32) {
        write_floats(y, now * count, kind, first * count, to);
      }
    }
  }

  int group_;
  int bits_;
};

}  // namespace

bool takes_quantized_matmul(const mx::array& x, const mx::array& w, const mx::array& scales,
                            bool transpose, int group, int bits) {
  return transpose && w.ndim() == 2 && x.ndim() >= 1 && is_float_kind(x.dtype()) &&
         is_float_kind(scales.dtype()) && (group == 32 || group == 64 || group == 128) &&
         (bits == 2 || bits == 3 || bits == 4 || bits == 5 || bits == 6 || bits == 8) &&
         x.shape(-1) / group <= kMostGroups;
}

mx::array quantized_matmul(const mx::array& x, const mx::array& w, const mx::array& scales,
                           const mx::array& biases, int group, int bits, mx::Stream stream) {
  int inputs = x.shape(-1);
  if (w.dtype() != mx::uint32 || w.shape(-1) * 32 != inputs * bits) {
    throw std::invalid_argument(
        "[quantized_matmul] the last dimension of x, " + std::to_string(inputs) +
        ", does not fit weights packed in rows of " + std::to_string(w.shape(-1)) + " words of " +
        std::to_string(32) + " bits with " + std::to_string(bits) + " bits a weight");
  }
  if (scales.shape() != biases.shape() || scales.ndim() != 2 || scales.shape(0) != w.shape(0) ||
      scales.shape(1) * group != inputs || scales.dtype() != biases.dtype()) {
    throw std::invalid_argument(
        "[quantized_matmul] scales and biases must both be [outputs, inputs / group]");
  }
  auto shape = x.shape();
  shape.back() = w.shape(0);
  return mx::array(std::move(shape), x.dtype(), std::make_shared<QuantizedMatmul>(stream, group, bits),
                   {mx::contiguous(x, false, stream), mx::contiguous(w, false, stream),
                    mx::contiguous(scales, false, stream), mx::contiguous(biases, false, stream)});
}

}  // namespace vm::cpu
