#include "row_ops.h"

#include <algorithm>
#include <vector>

#include "floats.h"
#include "kernels.h"
#include "pool.h"
#include "primitive.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

// Elements for which a further thread pays.
constexpr int64_t kGrain = 16 * 1024;

int64_t rows_of_grain(int64_t length) {
  return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, length));
}

class RmsNorm : public Primitive {
 public:
  RmsNorm(mx::Stream stream, float eps) : Primitive(stream), eps_(eps) {}

  const char* name() const override { return "VmRmsNorm"; }

 protected:
  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& out = outputs[0];
    std::optional<Rows> weight;
    if (inputs.size() > 1) weight.emplace(inputs[1]);
    return [x = Rows(inputs[0]), weight, to = out.data<void>(), kind = kind_of(out.dtype()), eps = eps_] {
      int64_t count = x.length();
      std::vector<float> weight_room(weight ? count : 0);
      const float* factors = weight ? weight->floats(0, weight_room.data()) : nullptr;
      parallel_for(x.rows(), rows_of_grain(count), [&](int64_t begin, int64_t end) {
        std::vector<float> room(count);
        for (int64_t r = begin; r < end; r++) {
          auto row = x.floats(r, room.data());
          float* y = kind == Float::f32 ? static_cast<float*>(to) + r * count : room.data();
          kernels().rms_norm(row, factors, count, eps, y);
          if (kind != Float::f32) write_floats(y, count, kind, r * count, to);
        }
      });
    };
  }

 private:
  float eps_;
};

class Gated : public Primitive {
 public:
  Gated(mx::Stream stream, Activation activation) : Primitive(stream), activation_(activation) {}

  const char* name() const override { return "VmGated"; }

 protected:
  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& out = outputs[0];
    return [activation = activation_, gate = Rows(inputs[0]), up = Rows(inputs[1]), to = out.data<void>(), kind = kind_of(out.dtype())] {
      int64_t count = gate.length();
      parallel_for(gate.rows(), rows_of_grain(count), [&](int64_t begin, int64_t end) {
        std::vector<float> gate_room(count);
        std::vector<float> up_room(count);
        for (int64_t r = begin; r < end; r++) {
          auto g = gate.floats(r, gate_room.data());
          auto u = up.floats(r, up_room.data());
          float* y = kind == Float::f32 ? static_cast<float*>(to) + r * count : gate_room.data();
          kernels().gate(activation, g, u, count, y);
          if (kind != Float::f32) write_floats(y, count, kind, r * count, to);
        }
      });
    };
  }

 private:
  Activation activation_;
};

} // namespace

bool takes_rms_norm(const mx::array& x, const std::optional<mx::array>& weight) {
  return x.ndim() >= 1 && x.size() > 0 && is_float(x.dtype()) &&
      (!weight ||
       (weight->ndim() == 1 && weight->shape(0) == x.shape(-1) && is_float(weight->dtype())));
}

mx::array rms_norm(const mx::array& x, const std::optional<mx::array>& weight, float eps, mx::Stream stream) {
  std::vector<mx::array> inputs{x};
  if (weight) inputs.push_back(*weight);
  auto type = mx::result_type(inputs);
  return Primitive::result(std::make_shared<RmsNorm>(stream, eps), std::move(inputs), x.shape(), type);
}

bool takes_gated(const mx::array& gate, const mx::array& up) {
  return gate.ndim() >= 1 && gate.shape() == up.shape() && gate.dtype() == up.dtype() && gate.size() > 0 &&
      is_float(gate.dtype());
}

mx::array gated(Activation activation, const mx::array& gate, const mx::array& up, mx::Stream stream) {
  return Primitive::result(std::make_shared<Gated>(stream, activation), {gate, up}, gate.shape(), gate.dtype());
}

} // namespace vm::cpu
