#include "matmul.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

#include "pool.h"
#include "primitive.h"
#include "product_task.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

class Product : public Primitive {
 public:
  struct Settings {
    std::vector<std::pair<int, int>> formats; // group and bits of each weight
    std::vector<bool> biased;
    std::optional<float> eps; // of the norm
    Finish finish;
  };

  Product(mx::Stream stream, Settings settings) : Primitive(stream), settings_(std::move(settings)) {}

  const char* name() const override { return "VmProduct"; }

 protected:
  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    size_t next = 1;
    std::optional<RowNorm> norm;
    if (settings_.eps) norm.emplace(RowNorm{Rows(inputs[next++]), *settings_.eps});
    std::vector<Part> parts;
    for (size_t i = 0; i < settings_.formats.size(); i++) {
      auto [group, bits] = settings_.formats[i];
      Weight weight{inputs[next++], nullptr, nullptr, nullptr, group, bits};
      if (bits != 0) {
        weight.scales = &inputs[next++];
        weight.biases = &inputs[next++];
      }
      if (settings_.biased[i]) weight.bias = &inputs[next++];
      parts.push_back(part_of(weight, outputs[gates(settings_.finish) ? 0 : i].data<void>()));
    }
    std::optional<Rows> added;
    if (settings_.finish == Finish::add) added.emplace(inputs[next++]);
    return ProductTask{Rows(inputs[0]), norm, std::move(parts), settings_.finish, added, kind_of(outputs[0].dtype())};
  }

 private:
  Settings settings_;
};

class Embedding : public Primitive {
 public:
  Embedding(mx::Stream stream, int group, int bits) : Primitive(stream), group_(group), bits_(bits) {}

  const char* name() const override { return "VmEmbedding"; }

 protected:
  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& out = outputs[0];
    Matrix w{inputs[1].data<void>(), inputs[2].data<void>(), inputs[3].data<void>(), kind_of(inputs[2].dtype()),
             inputs[1].shape(0), out.shape(-1), group_, bits_};
    return [w, ids = inputs[0].data<int32_t>(), to = out.data<void>(), kind = kind_of(out.dtype()),
            count = static_cast<int64_t>(inputs[0].size())] {
      parallel_for(count, 16, [&](int64_t begin, int64_t end) {
        float* room = scratch(room_for(w) + w.inputs);
        float* row = room + room_for(w);
        for (int64_t i = begin; i < end; i++) {
          int64_t id = ids[i] < 0 ? ids[i] + w.outputs : ids[i];
          kernels().unpack(w, std::clamp<int64_t>(id, 0, w.outputs - 1), row, room);
          write_floats(row, w.inputs, kind, i * w.inputs, to);
        }
      });
    };
  }

 private:
  int group_;
  int bits_;
};

} // namespace

bool packs_well(const Weight& weight) {
  int bits = weight.bits;
  int group = weight.group;
  return weight.scales && weight.biases && weight.w.dtype() == mx::uint32 && is_float(weight.scales->dtype()) &&
      weight.scales->dtype() == weight.biases->dtype() && (group == 32 || group == 64 || group == 128) &&
      ((bits >= 2 && bits <= 6) || bits == 8);
}

std::string misfit(const Weight& weight, int64_t inputs) {
  auto& w = weight.w;
  int rank = static_cast<int>(w.ndim());
  auto matrix = w.shape();
  if (weight.bits == 0) {
    if (w.shape(-1) != inputs) {
      return "[linear] the last dimension of x, " + std::to_string(inputs) + ", does not fit weights of " +
          std::to_string(w.shape(-1)) + " inputs";
    }
  } else {
    if (static_cast<int64_t>(w.shape(-1)) * 32 != inputs * weight.bits) {
      return "[quantized_matmul] the last dimension of x, " + std::to_string(inputs) + ", does not fit rows of " +
          std::to_string(w.shape(-1)) + " words with " + std::to_string(weight.bits) + " bits a weight";
    }
    auto groups = matrix;
    groups.back() = static_cast<int>(inputs / weight.group);
    if (weight.scales->shape() != groups || weight.biases->shape() != groups || inputs % weight.group != 0) {
      return "[quantized_matmul] scales and biases must both be [outputs, inputs / group]";
    }
  }
  matrix.resize(rank - 1);
  return weight.bias && weight.bias->shape() != matrix ? "[linear] a bias must be [outputs]" : "";
}

void check_inputs(const Weight& weight, int64_t inputs) {
  auto why = misfit(weight, inputs);
  if (!why.empty()) throw std::invalid_argument(why);
}

bool takes_weight(const Weight& weight) {
  return weight.w.ndim() == 2 && weight.w.size() > 0 && (!weight.bias || is_float(weight.bias->dtype())) &&
      (weight.bits == 0 ? is_float(weight.w.dtype()) : packs_well(weight));
}

bool takes_product(const mx::array& x, const std::vector<Weight>& weights) {
  return x.ndim() >= 1 && x.size() > 0 && is_float(x.dtype()) && std::all_of(weights.begin(), weights.end(), takes_weight);
}

mx::Dtype promoted(mx::Dtype type, const std::optional<Norm>& norm, const std::vector<Weight>& weights) {
  if (norm) type = mx::promote_types(type, norm->weight.dtype());
  for (auto& weight : weights) {
    type = mx::promote_types(type, weight.bits == 0 ? weight.w.dtype() : weight.scales->dtype());
    if (weight.bias) type = mx::promote_types(type, weight.bias->dtype());
  }
  return type;
}

std::vector<mx::array> product(
    const mx::array& x, const std::optional<Norm>& norm, const std::vector<Weight>& weights, Finish finish,
    const std::optional<mx::array>& added, mx::Stream stream) {
  Product::Settings settings{{}, {}, std::nullopt, finish};
  std::vector<mx::array> inputs{x};
  if (norm) {
    settings.eps = norm->eps;
    inputs.push_back(row_major(norm->weight, stream));
  }
  for (auto& weight : weights) {
    check_inputs(weight, x.shape(-1));
    settings.formats.push_back({weight.group, weight.bits});
    settings.biased.push_back(weight.bias != nullptr);
    inputs.push_back(row_major(weight.w, stream));
    if (weight.bits != 0) {
      inputs.push_back(row_major(*weight.scales, stream));
      inputs.push_back(row_major(*weight.biases, stream));
    }
    if (weight.bias) inputs.push_back(row_major(*weight.bias, stream));
  }
  if (gates(finish) && (weights.size() != 2 || weights[0].w.shape(0) != weights[1].w.shape(0))) {
    throw std::invalid_argument("[gate] takes two weights with as many outputs");
  }
  auto type = promoted(x.dtype(), norm, weights);
  if (added) {
    inputs.push_back(*added);
    type = mx::promote_types(type, added->dtype());
  }
  std::vector<mx::Shape> shapes;
  for (size_t i = 0; i < (finish == Finish::none ? weights.size() : 1); i++) {
    shapes.push_back(x.shape());
    shapes.back().back() = weights[i].w.shape(0);
  }
  if (finish == Finish::add && (weights.size() != 1 || !added || added->shape() != shapes[0])) {
    throw std::invalid_argument("[linear] what is added must have the shape of the product");
  }
  std::vector<mx::Dtype> types(shapes.size(), type);
  return Primitive::results(
      std::make_shared<Product>(stream, std::move(settings)), std::move(inputs), std::move(shapes), types);
}

bool takes_embedding(const mx::array& indices, const Weight& weight) {
  return indices.size() > 0 && mx::issubdtype(indices.dtype(), mx::integer) && weight.w.size() > 0 && weight.bits != 0 &&
      weight.w.ndim() == 2 && packs_well(weight);
}

mx::array embedding(const mx::array& indices, const Weight& weight, mx::Dtype type, mx::Stream stream) {
  int64_t inputs = static_cast<int64_t>(weight.scales->shape(-1)) * weight.group;
  check_inputs(weight, inputs);
  auto ids = row_major(indices.dtype() == mx::int32 ? indices : mx::astype(indices, mx::int32, stream), stream);
  auto shape = indices.shape();
  shape.push_back(static_cast<int>(inputs));
  return Primitive::result(
      std::make_shared<Embedding>(stream, weight.group, weight.bits),
      {ids, row_major(weight.w, stream), row_major(*weight.scales, stream), row_major(*weight.biases, stream)}, shape, type);
}

} // namespace vm::cpu
