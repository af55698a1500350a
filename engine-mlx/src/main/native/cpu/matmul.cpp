#include "matmul.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

#include "block.h"
#include "pool.h"
#include "primitive.h"

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
    const mx::array* norm = settings_.eps ? &inputs[next++] : nullptr;
    std::vector<Part> parts;
    for (size_t i = 0; i < settings_.formats.size(); i++) {
      auto [group, bits] = settings_.formats[i];
      auto& w = inputs[next++];
      Matrix matrix{w.data<void>(), nullptr, nullptr, kind_of(w.dtype()), w.shape(0), inputs[0].shape(-1), group, bits};
      if (bits != 0) {
        auto& scales = inputs[next++];
        matrix.scales = scales.data<void>();
        matrix.biases = inputs[next++].data<void>();
        matrix.kind = kind_of(scales.dtype());
      }
      Part part{matrix, nullptr, Float::f32, outputs[gates(settings_.finish) ? 0 : i].data<void>(), {}};
      if (settings_.biased[i]) {
        part.bias = inputs[next].data<void>();
        part.bias_kind = kind_of(inputs[next++].dtype());
      }
      parts.push_back(std::move(part));
    }
    std::optional<Rows> added;
    if (settings_.finish == Finish::add) added.emplace(inputs[next++]);
    return [x = Rows(inputs[0]), weight = norm == nullptr ? std::nullopt : std::optional<Rows>(*norm), eps = settings_.eps,
            parts = std::move(parts), added, finish = settings_.finish, kind = kind_of(outputs[0].dtype())]() mutable {
      std::vector<float> room(weight ? x.length() : 0);
      const float* factors = weight ? weight->floats(0, room.data()) : nullptr;
      Block block(x, parts);
      for (auto& part : parts) part.bias_floats(); // by this thread, before the others look
      for (int64_t first = 0; first < x.rows(); first += kRowsAtOnce) {
        int64_t count = std::min(kRowsAtOnce, x.rows() - first);
        block.prepare(count, [&](int64_t r) { return first + r; }, factors, eps.value_or(0), eps.has_value());
        if (gates(finish)) {
          auto activation = finish == Finish::swiglu ? Activation::silu : Activation::gelu;
          gated(activation, block, parts, first, count, kind);
        } else {
          each(block, parts, first, count, added ? &*added : nullptr, kind);
        }
      }
    };
  }

 private:
  // Each part to its own array, all in one go over the threads.
  static void each(Block& block, std::vector<Part>& parts, int64_t first, int64_t count, const Rows* added, Float kind) {
    int64_t total = 0;
    for (auto& part : parts) total += part.w.outputs;
    std::unique_ptr<float[]> results(kind == Float::f32 ? nullptr : new float[count * total]);
    parallel_for(total, kGrain, [&](int64_t begin, int64_t end) {
      int64_t from = 0; // of the part
      for (auto& part : parts) {
        int64_t outputs = part.w.outputs;
        int64_t low = std::max(begin - from, int64_t{0});
        int64_t high = std::min(end - from, outputs);
        if (low < high) {
          float* y = results ? results.get() + count * from : static_cast<float*>(part.out) + first * outputs;
          block.multiply(part, low, high, y, outputs);
          if (added != nullptr) add_rows(*added, first, count, low, high, y, outputs);
        }
        from += outputs;
      }
    });
    int64_t from = 0;
    for (auto& part : parts) {
      if (results) {
        write_floats(results.get() + count * from, count * part.w.outputs, kind, first * part.w.outputs, part.out);
      }
      from += part.w.outputs;
    }
  }

  static void add_rows(const Rows& added, int64_t first, int64_t count, int64_t low, int64_t high, float* y, int64_t ldy) {
    std::vector<float> room(added.length());
    for (int64_t r = 0; r < count; r++) {
      add(added.floats(first + r, room.data()) + low, high - low, y + r * ldy + low);
    }
  }

  // activation(first part) * second part.
  static void gated(Activation activation, Block& block, std::vector<Part>& parts, int64_t first, int64_t count, Float kind) {
    int64_t outputs = parts[0].w.outputs;
    std::unique_ptr<float[]> results(kind == Float::f32 ? nullptr : new float[count * outputs]);
    float* y = results ? results.get() : static_cast<float*>(parts[0].out) + first * outputs;
    parallel_for(outputs, kGrain, [&](int64_t begin, int64_t end) {
      int64_t width = end - begin;
      thread_local std::vector<float> up;
      up.resize(count * width);
      block.multiply(parts[0], begin, end, y, outputs);
      block.multiply(parts[1], begin, end, up.data() - begin, width);
      for (int64_t r = 0; r < count; r++) {
        float* gate = y + r * outputs + begin;
        kernels().gate(activation, gate, up.data() + r * width, width, gate);
      }
    });
    if (results) write_floats(results.get(), count * outputs, kind, first * outputs, parts[0].out);
  }

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

void check_inputs(const Weight& weight, int64_t inputs) {
  auto& w = weight.w;
  int rank = static_cast<int>(w.ndim());
  auto matrix = w.shape();
  if (weight.bits == 0) {
    if (w.shape(-1) != inputs) {
      throw std::invalid_argument(
          "[linear] the last dimension of x, " + std::to_string(inputs) + ", does not fit weights of " +
          std::to_string(w.shape(-1)) + " inputs");
    }
  } else {
    if (static_cast<int64_t>(w.shape(-1)) * 32 != inputs * weight.bits) {
      throw std::invalid_argument(
          "[quantized_matmul] the last dimension of x, " + std::to_string(inputs) + ", does not fit rows of " +
          std::to_string(w.shape(-1)) + " words with " + std::to_string(weight.bits) + " bits a weight");
    }
    auto groups = matrix;
    groups.back() = static_cast<int>(inputs / weight.group);
    if (weight.scales->shape() != groups || weight.biases->shape() != groups || inputs % weight.group != 0) {
      throw std::invalid_argument("[quantized_matmul] scales and biases must both be [outputs, inputs / group]");
    }
  }
  matrix.resize(rank - 1);
  if (weight.bias && weight.bias->shape() != matrix) {
    throw std::invalid_argument("[linear] a bias must be [outputs]");
  }
}

bool takes_product(const mx::array& x, const std::vector<Weight>& weights) {
  return x.ndim() >= 1 && x.size() > 0 && is_float(x.dtype()) &&
      std::all_of(weights.begin(), weights.end(), [](const Weight& weight) {
        return weight.w.ndim() == 2 && weight.w.size() > 0 && (!weight.bias || is_float(weight.bias->dtype())) &&
            (weight.bits == 0 ? is_float(weight.w.dtype()) : packs_well(weight));
      });
}

std::vector<mx::array> product(
    const mx::array& x, const std::optional<Norm>& norm, const std::vector<Weight>& weights, Finish finish,
    const std::optional<mx::array>& added, mx::Stream stream) {
  Product::Settings settings{{}, {}, std::nullopt, finish};
  std::vector<mx::array> inputs{x};
  auto type = x.dtype();
  if (norm) {
    settings.eps = norm->eps;
    inputs.push_back(row_major(norm->weight, stream));
    type = mx::promote_types(type, norm->weight.dtype());
  }
  for (auto& weight : weights) {
    check_inputs(weight, x.shape(-1));
    settings.formats.push_back({weight.group, weight.bits});
    settings.biased.push_back(weight.bias.has_value());
    inputs.push_back(row_major(weight.w, stream));
    if (weight.bits != 0) {
      inputs.push_back(row_major(*weight.scales, stream));
      inputs.push_back(row_major(*weight.biases, stream));
    }
    type = mx::promote_types(type, weight.bits == 0 ? weight.w.dtype() : weight.scales->dtype());
    if (weight.bias) {
      inputs.push_back(row_major(*weight.bias, stream));
      type = mx::promote_types(type, weight.bias->dtype());
    }
  }
  if (gates(finish) && (weights.size() != 2 || weights[0].w.shape(0) != weights[1].w.shape(0))) {
    throw std::invalid_argument("[gate] takes two weights with as many outputs");
  }
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
