// The operations that a transformer layer is made of: this project's primitives on a CPU, MLX's own elsewhere.
#include "cpu/attention.h"
#include "cpu/rope.h"
#include "cpu/row_ops.h"
#include "primitives.h"
#include "stock.h"
#include "runtime.h"

using namespace vm;

VM_EXPORT Handle vm_rms_norm(Handle x, Handle weight, float eps) {
  return make([&] {
    auto factors = maybe(weight);
    return primitives_wanted() && cpu::takes_rms_norm(*x, factors)
        ? cpu::rms_norm(*x, factors, eps, mx::default_stream(mx::Device::cpu))
        : mx::fast::rms_norm(*x, factors, eps);
  });
}

VM_EXPORT Handle vm_layer_norm(Handle x, Handle weight, Handle bias, float eps) {
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
    Handle x, int32_t dims, int32_t traditional, float base, float scale, int32_t offset, Handle freqs) {
  return make([&] { return rope(x, dims, traditional, base, scale, offset, freqs); });
}

// offsets: one for each sequence of the first axis of x.
VM_EXPORT Handle vm_rope_at(
    Handle x, int32_t dims, int32_t traditional, float base, float scale, Handle offsets, Handle freqs) {
  return make([&] { return rope(x, dims, traditional, base, scale, *offsets, freqs); });
}

VM_EXPORT Handle vm_attention(Handle q, Handle k, Handle v, float scale, int32_t causal, Handle mask) {
  return make([&] {
    if (!mask && primitives_wanted() && cpu::takes_attention(*q, *k, *v, causal != 0)) {
      return cpu::attention(*q, *k, *v, scale, causal != 0, mx::default_stream(mx::Device::cpu));
    }
    return mx::fast::scaled_dot_product_attention(*q, *k, *v, scale, causal ? "causal" : "", maybe(mask));
  });
}

namespace {

// How a layer attends over a cache, as Java gives it.
struct CachedAttentionArgument {
  Handle queries, keys, values, key_pool, value_pool;
  Handle positions;
  Handle sequences, tables; // null for one sequence in one block
  Handle angles;            // null off the primitives
  Handle wavelengths;       // null for plain ones
  Handle query_norm, key_norm;
  int32_t heads, kv_heads, dims, window, turned, traditional;
  int32_t start, rows; // where tables are null: the position of the first row
  float scale, magnitude, base, rope_scale, query_eps, key_eps;
};

std::optional<float> eps_of(Handle norm, float eps) {
  return norm ? std::optional<float>(eps) : std::nullopt;
}

// By MLX's own ops, over one contiguous sequence: the pools are one block, and come back as new arrays.
std::vector<mx::array> stock_attention(const CachedAttentionArgument& a) {
  auto heads_first = [&](const mx::array& x, int heads) {
    return mx::transpose(mx::reshape(x, {1, a.rows, heads, a.dims}), {0, 2, 1, 3});
  };
  auto arranged = [&](const mx::array& x, int heads, Handle norm, float eps) {
    auto rows = heads_first(x, heads);
    if (norm) rows = mx::fast::rms_norm(rows, *norm, eps);
    if (a.turned == 0) return rows;
    if (a.magnitude != 1) rows = mx::multiply(rows, mx::array(a.magnitude, rows.dtype()));
    return mx::fast::rope(
        rows, a.turned, a.traditional != 0, a.wavelengths ? std::nullopt : std::optional<float>(a.base), a.rope_scale,
        a.start, maybe(a.wavelengths));
  };
  int end = a.start + a.rows;
  int first = a.window > 0 ? std::max(0, a.start + 1 - a.window) : 0;
  auto write = [&](const mx::array& pool, const mx::array& rows) {
    return mx::slice_update(pool, rows, mx::Shape{0, 0, a.start, 0}, mx::Shape{1, a.kv_heads, end, a.dims});
  };
  auto keys = write(*a.key_pool, arranged(*a.keys, a.kv_heads, a.key_norm, a.key_eps));
  auto values = write(*a.value_pool, heads_first(*a.values, a.kv_heads));
  auto seen = [&](const mx::array& pool) { return mx::slice(pool, {0, 0, first, 0}, {1, a.kv_heads, end, a.dims}); };
  std::string mode = a.rows > 1 ? "causal" : "";
  std::optional<mx::array> mask;
  if (a.rows > 1 && a.window > 0 && end > a.window) {
    auto row = mx::expand_dims(mx::arange(a.start, end, mx::int32), 1);
    auto key = mx::arange(first, end, mx::int32);
    mask = mx::logical_and(mx::less_equal(key, row), mx::greater(mx::add(key, mx::array(a.window)), row));
    mode = "";
  }
  auto mixed = mx::fast::scaled_dot_product_attention(
      arranged(*a.queries, a.heads, a.query_norm, a.query_eps), seen(keys), seen(values), a.scale, mode, mask);
  return {mx::reshape(mx::transpose(mixed, {0, 2, 1, 3}), {a.rows, a.heads * a.dims}), keys, values};
}

} // namespace

// The cosines and sines of each position's angles, for vm_cached_attention.
VM_EXPORT Handle vm_rope_angles(
    Handle positions, int32_t dims, int32_t traditional, float base, float scale, Handle wavelengths) {
  return make([&] {
    cpu::Rotation rotation{dims, traditional != 0, base, scale};
    return cpu::rope_angles(*positions, rotation, maybe(wavelengths), mx::default_stream(mx::Device::cpu));
  });
}

// Norms and rotates, writes to the cache, attends. out: the result, then the pools of keys and values as they are then; the
// old ones must not be used any more.
VM_EXPORT int32_t vm_cached_attention(const CachedAttentionArgument* argument, Handle* out) {
  return run([&] {
    auto& a = *argument;
    cpu::CachedAttentionInputs in{*a.queries,         *a.keys,           *a.values,       *a.key_pool,
                                  *a.value_pool,      *a.positions,      maybe(a.sequences), maybe(a.tables),
                                  maybe(a.angles),    maybe(a.query_norm), maybe(a.key_norm)};
    cpu::CachedAttentionSettings settings{
        a.heads, a.kv_heads, a.dims, a.scale, a.window, a.turned, a.traditional != 0, a.magnitude,
        eps_of(a.query_norm, a.query_eps), eps_of(a.key_norm, a.key_eps)};
    bool ours = primitives_wanted() && (a.turned == 0 || a.angles) && cpu::takes_cached_attention(in, settings);
    if (!ours && a.tables) throw std::invalid_argument("[attend] block tables need this project's CPU primitives");
    auto parts = ours ? cpu::cached_attention(in, settings, mx::default_stream(mx::Device::cpu)) : stock_attention(a);
    for (size_t i = 0; i < 3; i++) out[i] = wrap(parts[i]);
  });
}

// Whether ops on this thread's device go to this project's primitives.
VM_EXPORT int32_t vm_primitives_wanted() {
  return primitives_wanted() ? 1 : 0;
}

// activation(gate) * up, by a cpu::Activation
VM_EXPORT Handle vm_gated(Handle gate, Handle up, int32_t activation) {
  return make([&] {
    auto which = static_cast<cpu::Activation>(activation);
    return primitives_wanted() && cpu::takes_gated(*gate, *up)
        ? cpu::gated(which, *gate, *up, mx::default_stream(mx::Device::cpu))
        : stock_gated(which, *gate, *up);
  });
}
