// The operations that a transformer layer is made of: this project's primitives on a CPU, MLX's own elsewhere.
#include <cfloat>

#include "arguments.h"
#include "cpu/attention.h"
#include "cpu/cached_attention.h"
#include "cpu/layer.h"
#include "cpu/rope.h"
#include "cpu/row_ops.h"
#include "primitives.h"
#include "stock.h"
#include "runtime.h"

using namespace vm;

VM_EXPORT Handle vm_rms_norm(Handle x, Handle weight, double eps) {
  return make([&] {
    auto factors = maybe(weight);
    return primitives_wanted() && cpu::takes_rms_norm(*x, factors)
        ? cpu::rms_norm(*x, factors, eps, mx::default_stream(mx::Device::cpu))
        : mx::fast::rms_norm(*x, factors, eps);
  });
}

VM_EXPORT Handle vm_layer_norm(Handle x, Handle weight, Handle bias, double eps) {
  return make([&] { return mx::fast::layer_norm(*x, maybe(weight), maybe(bias), eps); });
}

namespace {

mx::array as_array(int32_t offset) {
  return mx::array(offset);
}

const mx::array& as_array(const mx::array& offset) {
  return offset;
}

template <class Offset>
mx::array rope(Handle x, int32_t dims, int32_t traditional, float base, float scale, const Offset& offset, Handle freqs) {
  if (primitives_wanted()) {
    cpu::Rotation rotation{dims, traditional != 0, base, scale};
    auto wavelengths = maybe(freqs);
    auto position = as_array(offset);
    if (cpu::takes_rope(*x, rotation, position, wavelengths)) {
      return cpu::rope(*x, rotation, position, wavelengths, mx::default_stream(mx::Device::cpu));
    }
  }
  return mx::fast::rope(
      *x, dims, traditional != 0, freqs ? std::nullopt : std::optional<float>(base), scale, offset, maybe(freqs));
}

} // namespace

VM_EXPORT Handle vm_rope(
    Handle x, int64_t dims, int64_t traditional, double base, double scale, int64_t offset, Handle freqs) {
  return make([&] { return rope(x, dims, traditional, base, scale, offset, freqs); });
}

// offsets: one for each sequence of the first axis of x.
VM_EXPORT Handle vm_rope_at(
    Handle x, int64_t dims, int64_t traditional, double base, double scale, Handle offsets, Handle freqs) {
  return make([&] { return rope(x, dims, traditional, base, scale, *offsets, freqs); });
}

VM_EXPORT Handle vm_attention(Handle q, Handle k, Handle v, double scale, int64_t causal, Handle mask) {
  return make([&] {
    if (!mask && primitives_wanted() && cpu::takes_attention(*q, *k, *v, causal != 0)) {
      return cpu::attention(*q, *k, *v, scale, causal != 0, mx::default_stream(mx::Device::cpu));
    }
    return mx::fast::scaled_dot_product_attention(*q, *k, *v, scale, causal ? "causal" : "", maybe(mask));
  });
}

namespace {

// Where rows stand, and the memory of their keys and values, as Java gives it.
struct PlacesArgument {
  Handle key_pool, value_pool;
  Handle positions;
  Handle sequences, tables; // null for one sequence in one block
  Handle angles;            // null off the primitives, and where nothing is rotated
};

cpu::CachePlaces places(const PlacesArgument& a) {
  return {*a.key_pool, *a.value_pool, *a.positions, a.sequences, a.tables, a.angles};
}

// How a layer attends.
struct PlanArgument {
  Handle query_norm, key_norm; // null for none
  Handle wavelengths;          // null for plain ones
  int32_t heads, kv_heads, dims, window, turned, traditional;
  float scale, magnitude, base, rope_scale, query_eps, key_eps;
};

cpu::CachedAttentionSettings settings(const PlanArgument& a) {
  auto eps_of = [](Handle norm, float eps) { return norm ? std::optional<float>(eps) : std::nullopt; };
  return {a.heads, a.kv_heads, a.dims, a.scale, a.window, a.turned, a.traditional != 0, a.magnitude,
          eps_of(a.query_norm, a.query_eps), eps_of(a.key_norm, a.key_eps)};
}

// Rows that attend over a cache.
struct CachedAttentionArgument {
  Handle queries, keys, values;
  PlacesArgument places;
  PlanArgument plan;
  int32_t start, rows; // where tables are null: the position of the first row
};

// By MLX's own ops, sequence by sequence: its rows are written to the pools, which come back as new arrays, and MLX's fused
// attention gets what they hold of it, gathered from its blocks where it has a table.
class StockAttention {
 public:
  explicit StockAttention(const CachedAttentionArgument& a)
      : a_(a), places_(a.places), plan_(a.plan), block_size_(a.places.key_pool->shape(2)) {
    if (places_.tables) tables_ = known(*places_.tables);
  }

  std::vector<mx::array> operator()() const {
    auto keys = *places_.key_pool;
    auto values = *places_.value_pool;
    auto runs = this->runs();
    for (auto& run : runs) {
      write(keys, arranged(*a_.keys, plan_.kv_heads, plan_.key_norm, plan_.key_eps, run), run);
      write(values, heads_first(*a_.values, plan_.kv_heads, run), run);
    }
    std::vector<mx::array> mixed;
    for (auto& run : runs) mixed.push_back(attend(keys, values, run));
    return {mixed.size() == 1 ? mixed[0] : mx::concatenate(mixed, 0), keys, values};
  }

 private:
  // Neighbouring rows of one sequence.
  struct Run {
    int row, rows;
    int start; // the position of the first
    const int32_t* table; // null where all is in the one block
    int end() const { return start + rows; }
  };

  static mx::array known(const mx::array& numbers) {
    auto copy = mx::contiguous(numbers);
    copy.eval();
    return copy;
  }

  std::vector<Run> runs() const {
    if (!places_.tables) return {{0, a_.rows, a_.start, nullptr}};
    auto positions = known(*places_.positions);
    auto sequences = known(*places_.sequences);
    auto at = positions.data<int32_t>();
    auto whose = sequences.data<int32_t>();
    std::vector<Run> runs;
    for (int row = 0; row < a_.rows; row++) {
      if (row > 0 && whose[row] == whose[row - 1]) {
        runs.back().rows++;
      } else {
        runs.push_back({row, 1, at[row], tables_->data<int32_t>() + whose[row] * tables_->shape(1)});
      }
    }
    return runs;
  }

  mx::array heads_first(const mx::array& x, int heads, const Run& run) const {
    auto rows = mx::slice(x, {run.row, 0}, {run.row + run.rows, x.shape(1)});
    return mx::transpose(mx::reshape(rows, {1, run.rows, heads, plan_.dims}), {0, 2, 1, 3});
  }

  mx::array arranged(const mx::array& x, int heads, Handle norm, float eps, const Run& run) const {
    auto rows = heads_first(x, heads, run);
    if (norm) rows = mx::fast::rms_norm(rows, *norm, eps);
    if (plan_.turned == 0) return rows;
    if (plan_.magnitude != 1) rows = mx::multiply(rows, mx::array(plan_.magnitude, rows.dtype()));
    return mx::fast::rope(
        rows, plan_.turned, plan_.traditional != 0, plan_.wavelengths ? std::nullopt : std::optional<float>(plan_.base),
        plan_.rope_scale, run.start, maybe(plan_.wavelengths));
  }

  // From a position on, as far as they lie in one block.
  int in_block(int position, int end, const Run& run) const {
    return run.table ? std::min(block_size_ - position % block_size_, end - position) : end - position;
  }

  // Rows of int8 and the float32 that they are multiplied by, as the primitive keeps them.
  static mx::array packed(const mx::array& rows) {
    auto x = mx::astype(rows, mx::float32);
    auto scale = mx::maximum(mx::divide(mx::max(mx::abs(x), -1, true), mx::array(127.0f)), mx::array(FLT_MIN));
    return mx::concatenate({mx::astype(mx::round(mx::divide(x, scale)), mx::int8), mx::view(scale, mx::int8)}, -1);
  }

  mx::array unpacked(const mx::array& rows) const {
    if (rows.dtype() != mx::int8) return mx::astype(rows, a_.queries->dtype());
    auto end = rows.shape();
    auto numbers = mx::slice(rows, {0, 0, 0, 0}, {end[0], end[1], end[2], plan_.dims});
    auto scale = mx::view(mx::contiguous(mx::slice(rows, {0, 0, 0, plan_.dims}, end)), mx::float32);
    return mx::astype(mx::multiply(numbers, scale), a_.queries->dtype());
  }

  void write(mx::array& pool, const mx::array& values, const Run& run) const {
    auto rows = pool.dtype() == mx::int8 ? packed(values) : mx::astype(values, pool.dtype());
    int width = pool.shape(3);
    for (int at = run.start; at < run.end();) {
      int count = in_block(at, run.end(), run);
      int block = run.table ? run.table[at / block_size_] : 0;
      int from = run.table ? at % block_size_ : at;
      auto part = mx::slice(rows, {0, 0, at - run.start, 0}, {1, plan_.kv_heads, at - run.start + count, width});
      pool = mx::slice_update(
          pool, part, mx::Shape{block, 0, from, 0}, mx::Shape{block + 1, plan_.kv_heads, from + count, width});
      at += count;
    }
  }

  // [1, kv_heads, end - first, dims], or as the pool keeps them
  mx::array stored(const mx::array& pool, int first, const Run& run) const {
    int width = pool.shape(3);
    if (!run.table) return mx::slice(pool, {0, 0, first, 0}, {1, plan_.kv_heads, run.end(), width});
    int block = first / block_size_;
    int blocks = (run.end() + block_size_ - 1) / block_size_ - block;
    auto gathered = mx::take(pool, mx::array(run.table + block, {blocks}, mx::int32), 0);
    auto whole = mx::reshape(mx::transpose(gathered, {1, 0, 2, 3}), {1, plan_.kv_heads, blocks * block_size_, width});
    int before = block * block_size_;
    return mx::slice(whole, {0, 0, first - before, 0}, {1, plan_.kv_heads, run.end() - before, width});
  }

  mx::array attend(const mx::array& keys, const mx::array& values, const Run& run) const {
    int end = run.end();
    int first = plan_.window > 0 ? std::max(0, run.start + 1 - plan_.window) : 0;
    std::string mode = run.rows > 1 ? "causal" : "";
    std::optional<mx::array> mask;
    if (run.rows > 1 && plan_.window > 0 && end > plan_.window) {
      auto row = mx::expand_dims(mx::arange(run.start, end, mx::int32), 1);
      auto key = mx::arange(first, end, mx::int32);
      mask = mx::logical_and(mx::less_equal(key, row), mx::greater(mx::add(key, mx::array(plan_.window)), row));
      mode = "";
    }
    auto mixed = mx::fast::scaled_dot_product_attention(
        arranged(*a_.queries, plan_.heads, plan_.query_norm, plan_.query_eps, run), unpacked(stored(keys, first, run)),
        unpacked(stored(values, first, run)), plan_.scale, mode, mask);
    return mx::reshape(mx::transpose(mixed, {0, 2, 1, 3}), {run.rows, plan_.heads * plan_.dims});
  }

  const CachedAttentionArgument& a_;
  const PlacesArgument& places_;
  const PlanArgument& plan_;
  int block_size_;
  std::optional<mx::array> tables_; // which runs point into
};

} // namespace

// The cosines and sines of each position's angles, for vm_cached_attention.
VM_EXPORT Handle vm_rope_angles(
    Handle positions, int64_t dims, int64_t traditional, double base, double scale, Handle wavelengths) {
  return make([&] {
    cpu::Rotation rotation{
        static_cast<int>(dims), traditional != 0, static_cast<float>(base), static_cast<float>(scale)};
    return cpu::rope_angles(*positions, rotation, maybe(wavelengths), mx::default_stream(mx::Device::cpu));
  });
}

// Norms and rotates, writes to the cache, attends. out: the result, then the pools of keys and values as they are then; the
// old ones must not be used any more.
VM_EXPORT int64_t vm_cached_attention(const CachedAttentionArgument* argument, Handle* out) {
  return run([&] {
    auto& a = *argument;
    cpu::CachedAttentionInputs in{*a.queries, *a.keys, *a.values, places(a.places), a.plan.query_norm, a.plan.key_norm};
    auto how = settings(a.plan);
    bool ours = primitives_wanted() && cpu::takes_cached_attention(in, how);
    auto parts = ours ? cpu::cached_attention(in, how, mx::default_stream(mx::Device::cpu)) : StockAttention(a)();
    for (size_t i = 0; i < 3; i++) out[i] = wrap(parts[i]);
  });
}

// A layer as Java gives it, once: arrays of weights that live as long as it is used.
struct LayerArgument {
  WeightArgument queries, keys, values, output, gate, up, down;
  PlanArgument plan;
  Handle attention_norm, feed_forward_norm;
  float attention_eps, feed_forward_eps;
  int32_t gated; // a cpu::Finish
};

// The whole layer at once: what it makes of x, or null where it has to be taken step by step. An error is -1.
VM_EXPORT int64_t vm_layer(Handle x, const LayerArgument* argument, const PlacesArgument* where) {
  Handle result = nullptr;
  int32_t status = run([&] {
    if (!primitives_wanted()) return;
    auto& a = *argument;
    cpu::Layer layer{
        {*a.attention_norm, a.attention_eps}, weight(a.queries), weight(a.keys), weight(a.values), weight(a.output),
        settings(a.plan), a.plan.query_norm, a.plan.key_norm, {*a.feed_forward_norm, a.feed_forward_eps}, weight(a.gate),
        weight(a.up), weight(a.down), static_cast<cpu::Finish>(a.gated)};
    if (auto out = cpu::run(layer, *x, places(*where))) result = wrap(std::move(*out));
  });
  return status == 0 ? reinterpret_cast<int64_t>(result) : status;
}

// Whether ops on this thread's device go to this project's primitives.
VM_EXPORT int64_t vm_primitives_wanted() {
  return primitives_wanted() ? 1 : 0;
}

// activation(gate) * up, by a cpu::Activation
VM_EXPORT Handle vm_gated(Handle gate, Handle up, int64_t activation) {
  return make([&] {
    auto which = static_cast<cpu::Activation>(activation);
    return primitives_wanted() && cpu::takes_gated(*gate, *up)
        ? cpu::gated(which, *gate, *up, mx::default_stream(mx::Device::cpu))
        : stock_gated(which, *gate, *up);
  });
}
