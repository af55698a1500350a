// Matrix products, dense and quantized.
#include "arguments.h"
#include "cpu/experts.h"
#include "cpu/matmul.h"
#include "cpu/primitive.h"
#include "primitives.h"
#include "runtime.h"
#include "stock.h"

using namespace vm;

VM_EXPORT Handle vm_matmul(Handle a, Handle b) {
  return make([&] { return mx::matmul(*a, *b); });
}

namespace {

mx::Stream cpu_stream() {
  return mx::default_stream(mx::Device::cpu);
}

// By MLX's own ops.
mx::array stock(const mx::array& x, const cpu::Weight& weight) {
  if (weight.bits == 0) {
    auto transposed = mx::swapaxes(weight.w, -1, -2);
    // One op where there is a bias, so that a half type is rounded once.
    return weight.bias ? mx::addmm(*weight.bias, x, transposed) : mx::matmul(x, transposed);
  }
  auto y = mx::quantized_matmul(x, weight.w, *weight.scales, maybe(weight.biases), true, weight.group, weight.bits);
  return weight.bias ? mx::add(y, *weight.bias) : y;
}

} // namespace

// A product as Java gives it.
struct ProductArgument {
  Handle x;
  Handle norm;  // null for none
  Handle added; // null for none
  int32_t n;
  int32_t finish; // a cpu::Finish
  float eps;
};

// x times the transposes of some weights: out[i] for each, or out[0] where they are finished to one result.
VM_EXPORT int64_t vm_product(const ProductArgument* argument, const WeightArgument* weights, Handle* out) {
  auto [x, norm, added, n, finish, eps] = *argument;
  return run([&, x = x, norm = norm, added = added, n = n, finish = finish, eps = eps] {
    std::vector<cpu::Weight> all;
    for (int32_t i = 0; i < n; i++) all.push_back(weight(weights[i]));
    auto how = static_cast<cpu::Finish>(finish);
    std::vector<mx::array> results;
    if (primitives_wanted() && cpu::takes_product(*x, all)) {
      auto before = norm ? std::optional<cpu::Norm>({*norm, eps}) : std::nullopt;
      results = cpu::product(*x, before, all, how, maybe(added), cpu_stream());
    } else {
      auto rows = norm ? mx::fast::rms_norm(*x, *norm, eps) : *x;
      for (auto& each : all) results.push_back(stock(rows, each));
      if (how == cpu::Finish::add) results = {mx::add(*added, results[0])};
      if (cpu::gates(how)) {
        auto activation = how == cpu::Finish::swiglu ? cpu::Activation::silu : cpu::Activation::gelu;
        results = {stock_gated(activation, results[0], results.at(1))};
      }
    }
    for (size_t i = 0; i < results.size(); i++) out[i] = wrap(results[i]);
  });
}

// Rows of a matrix, unpacked to a floating type.
VM_EXPORT Handle vm_embedding(Handle indices, const WeightArgument* argument, int64_t type) {
  return make([&] {
    auto from = weight(*argument);
    auto to = dtype(type);
    if (from.bits == 0) {
      auto rows = mx::astype(mx::take(from.w, *indices, 0), to);
      // Few rows are computed at once from here on: see cpu/primitive.h.
      if (primitives_wanted() && rows.shape(0) <= cpu::kRowsComputedAtOnce) rows.eval();
      return rows;
    }
    if (primitives_wanted() && cpu::takes_embedding(*indices, from)) {
      return cpu::embedding(*indices, from, to, cpu_stream());
    }
    auto rows = [&](const mx::array& a) { return mx::take(a, *indices, 0); };
    return mx::dequantize(
        rows(from.w), mx::astype(rows(*from.scales), to), mx::astype(rows(*from.biases), to), from.group, from.bits);
  });
}

// x times the transpose of w [outputs, inputs], plus bias [outputs] where there is one.
VM_EXPORT Handle vm_linear(Handle x, Handle w, Handle bias) {
  return make([&] {
    cpu::Weight dense{*w, nullptr, nullptr, bias};
    return primitives_wanted() && cpu::takes_product(*x, {dense})
        ? cpu::product(*x, std::nullopt, {dense}, cpu::Finish::none, std::nullopt, cpu_stream())[0]
        : stock(*x, dense);
  });
}

VM_EXPORT Handle vm_addmm(Handle c, Handle a, Handle b, double alpha, double beta) {
  return make([&] { return mx::addmm(*c, *a, *b, alpha, beta); });
}

VM_EXPORT Handle vm_quantized_matmul(
    Handle x, Handle w, Handle scales, Handle biases, int64_t transpose, int64_t group_size, int64_t bits) {
  return make([&] {
    cpu::Weight packed{*w, scales, biases, nullptr, static_cast<int>(group_size), static_cast<int>(bits)};
    if (primitives_wanted() && transpose != 0 && cpu::takes_product(*x, {packed})) {
      return cpu::product(*x, std::nullopt, {packed}, cpu::Finish::none, std::nullopt, cpu_stream())[0];
    }
    if (primitives_wanted() && transpose == 0 && cpu::takes_product_across(*x, packed)) {
      return cpu::product_across(*x, packed, cpu_stream());
    }
    return mx::quantized_matmul(*x, *w, *scales, maybe(biases), transpose != 0, group_size, bits);
  });
}

// Affine: the packed weights, scales and biases go to out[0..2].
VM_EXPORT int64_t vm_quantize(Handle w, int64_t group_size, int64_t bits, Handle* out) {
  return run([&] {
    auto parts = mx::quantize(*w, group_size, bits);
    for (size_t i = 0; i < 3; i++) out[i] = wrap(parts.at(i));
  });
}

VM_EXPORT Handle vm_dequantize(Handle w, Handle scales, Handle biases, int64_t group_size, int64_t bits) {
  return make([&] { return mx::dequantize(*w, *scales, maybe(biases), group_size, bits); });
}

// x [n, inputs] by row and expert [pairs]: row rows[p] times the transpose of expert experts[p], plus its bias.
VM_EXPORT Handle vm_expert_product(Handle x, Handle rows, Handle experts, const WeightArgument* argument) {
  return make([&] {
    auto all = weight(*argument);
    if (primitives_wanted() && cpu::takes_expert_product(*x, all)) {
      return cpu::expert_product(*x, *rows, *experts, all, cpu_stream());
    }
    auto single = mx::expand_dims(*x, 1); // a matrix of one row for each
    auto y = all.bits == 0
        ? mx::gather_mm(single, mx::swapaxes(all.w, -1, -2), *rows, *experts)
        : mx::gather_qmm(single, all.w, *all.scales, maybe(all.biases), *rows, *experts, true, all.group, all.bits);
    y = mx::squeeze(y, 1);
    return all.bias ? mx::add(y, mx::take(*all.bias, *experts, 0)) : y;
  });
}
