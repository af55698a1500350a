#include "experts.h"

#include <stdexcept>

#include "block.h"
#include "primitive.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

class ExpertProduct : public Primitive {
 public:
  ExpertProduct(mx::Stream stream, int group, int bits, bool biased)
      : Primitive(stream), group_(group), bits_(bits), biased_(biased) {}

  const char* name() const override { return "VmExpertProduct"; }

 protected:
  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& w = inputs[3];
    size_t next = 4;
    Matrix all{w.data<void>(), nullptr, nullptr, kind_of(bits_ == 0 ? w.dtype() : inputs[4].dtype()), w.shape(1),
               inputs[0].shape(-1), group_, bits_};
    if (bits_ != 0) {
      all.scales = inputs[next++].data<void>();
      all.biases = inputs[next++].data<void>();
    }
    const void* bias = biased_ ? inputs[next].data<void>() : nullptr;
    Float bias_kind = biased_ ? kind_of(inputs[next].dtype()) : Float::f32;
    auto& out = outputs[0];
    return [x = Rows(inputs[0]), rows = inputs[1].data<int32_t>(), experts = inputs[2].data<int32_t>(), all, bias, bias_kind,
            count = static_cast<int64_t>(w.shape(0)), pairs = static_cast<int64_t>(out.shape(0)), to = out.data<void>(),
            kind = kind_of(out.dtype())] {
      std::vector<std::vector<int64_t>> of_expert(count);
      for (int64_t p = 0; p < pairs; p++) of_expert[std::clamp<int64_t>(experts[p], 0, count - 1)].push_back(p);
      std::vector<float> results;
      for (int64_t e = 0; e < count; e++) {
        if (of_expert[e].empty()) continue;
        std::vector<Part> parts{{expert(all, e), offset(bias, bias_kind, e * all.outputs), bias_kind, nullptr, {}}};
        parts[0].bias_floats(); // by this thread, before the others look
        Block block(x, parts);
        for (size_t first = 0; first < of_expert[e].size(); first += kRowsAtOnce) {
          const int64_t* some = of_expert[e].data() + first;
          int64_t n = std::min<int64_t>(kRowsAtOnce, of_expert[e].size() - first);
          block.prepare(n, [&](int64_t r) { return std::clamp<int64_t>(rows[some[r]], 0, x.rows() - 1); });
          results.resize(n * all.outputs);
          parallel_for(all.outputs, kGrain, [&](int64_t begin, int64_t end) {
            block.multiply(parts[0], begin, end, results.data(), all.outputs);
          });
          for (int64_t r = 0; r < n; r++) {
            write_floats(results.data() + r * all.outputs, all.outputs, kind, some[r] * all.outputs, to);
          }
        }
      }
    };
  }

 private:
  static const void* offset(const void* data, Float kind, int64_t elements) {
    return data == nullptr ? nullptr : static_cast<const char*>(data) + elements * bytes_of(kind);
  }

  static Matrix expert(const Matrix& all, int64_t e) {
    Matrix one = all;
    if (all.bits == 0) {
      one.data = offset(all.data, all.kind, e * all.outputs * all.inputs);
    } else {
      int64_t groups = all.outputs * all.inputs / all.group;
      one.data = static_cast<const char*>(all.data) + e * all.outputs * all.inputs * all.bits / 8;
      one.scales = offset(all.scales, all.kind, e * groups);
      one.biases = offset(all.biases, all.kind, e * groups);
    }
    return one;
  }

  int group_;
  int bits_;
  bool biased_;
};

// Outputs of the packed matrix, here the rows to sum over, that are unpacked at a time.
constexpr int64_t kPanel = 32;

// The sum goes over the matrix's rows in their order, for each result alone.
class ProductAcross : public Primitive {
 public:
  ProductAcross(mx::Stream stream, int group, int bits) : Primitive(stream), group_(group), bits_(bits) {}

  const char* name() const override { return "VmProductAcross"; }

 protected:
  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& out = outputs[0];
    Matrix w{inputs[1].data<void>(), inputs[2].data<void>(), inputs[3].data<void>(), kind_of(inputs[2].dtype()),
             inputs[1].shape(0), out.shape(-1), group_, bits_};
    return [w, x = Rows(inputs[0]), to = out.data<void>(), kind = kind_of(out.dtype())] {
      int64_t width = w.inputs;
      std::vector<float> panel(kPanel * width);
      std::vector<float> sums(x.rows() * width);
      std::vector<float> factors(x.rows() * x.length());
      for (int64_t r = 0; r < x.rows(); r++) x.read(r, factors.data() + r * x.length());
      for (int64_t first = 0; first < w.outputs; first += kPanel) {
        int64_t count = std::min(kPanel, w.outputs - first);
        parallel_for(count, 4, [&](int64_t begin, int64_t end) {
          for (int64_t n = begin; n < end; n++) {
            kernels().unpack(w, first + n, panel.data() + n * width, scratch(room_for(w)));
          }
        });
        parallel_for(x.rows() * width, 4096, [&](int64_t begin, int64_t end) {
          while (begin < end) {
            int64_t row = begin / width;
            int64_t from = begin % width;
            int64_t many = std::min(width - from, end - begin);
            float* y = sums.data() + begin;
            for (int64_t n = 0; n < count; n++) {
              float factor = factors[row * x.length() + first + n];
              const float* weights = panel.data() + n * width + from;
              for (int64_t i = 0; i < many; i++) y[i] += factor * weights[i];
            }
            begin += many;
          }
        });
      }
      write_floats(sums.data(), x.rows() * width, kind, 0, to);
    };
  }

 private:
  int group_;
  int bits_;
};

} // namespace

bool takes_expert_product(const mx::array& x, const Weight& weight) {
  return x.ndim() == 2 && x.size() > 0 && is_float(x.dtype()) && weight.w.ndim() == 3 && weight.w.size() > 0 &&
      (!weight.bias || is_float(weight.bias->dtype())) &&
      (weight.bits == 0 ? is_float(weight.w.dtype()) : packs_well(weight));
}

mx::array expert_product(
    const mx::array& x, const mx::array& rows, const mx::array& experts, const Weight& weight, mx::Stream stream) {
  check_inputs(weight, x.shape(-1));
  if (rows.ndim() != 1 || rows.shape() != experts.shape()) {
    throw std::invalid_argument("[expert_product] rows and experts must be [pairs] both");
  }
  auto indices = [&](const mx::array& a) {
    return row_major(a.dtype() == mx::int32 ? a : mx::astype(a, mx::int32, stream), stream);
  };
  std::vector<mx::array> inputs{x, indices(rows), indices(experts), row_major(weight.w, stream)};
  auto type = mx::promote_types(x.dtype(), weight.bits == 0 ? weight.w.dtype() : weight.scales->dtype());
  if (weight.bits != 0) {
    inputs.push_back(row_major(*weight.scales, stream));
    inputs.push_back(row_major(*weight.biases, stream));
  }
  if (weight.bias) {
    inputs.push_back(row_major(*weight.bias, stream));
    type = mx::promote_types(type, weight.bias->dtype());
  }
  auto op = std::make_shared<ExpertProduct>(stream, weight.group, weight.bits, weight.bias != nullptr);
  return Primitive::result(std::move(op), std::move(inputs), {rows.shape(0), weight.w.shape(1)}, type);
}

bool takes_product_across(const mx::array& x, const Weight& weight) {
  return x.ndim() >= 1 && x.size() > 0 && is_float(x.dtype()) && weight.w.ndim() == 2 && weight.w.size() > 0 &&
      weight.bits != 0 && packs_well(weight) && x.shape(-1) == weight.w.shape(0);
}

mx::array product_across(const mx::array& x, const Weight& weight, mx::Stream stream) {
  int64_t inputs = static_cast<int64_t>(weight.scales->shape(-1)) * weight.group;
  check_inputs(weight, inputs);
  auto shape = x.shape();
  shape.back() = static_cast<int>(inputs);
  return Primitive::result(
      std::make_shared<ProductAcross>(stream, weight.group, weight.bits),
      {x, row_major(weight.w, stream), row_major(*weight.scales, stream), row_major(*weight.biases, stream)}, shape,
      mx::promote_types(x.dtype(), weight.scales->dtype()));
}

} // namespace vm::cpu
