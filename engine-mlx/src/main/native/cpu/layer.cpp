#include "layer.h"

#include "cached_attention_task.h"
#include "kernels.h"
#include "primitive.h"
#include "product_task.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

bool there(const mx::array& a) { return a.is_available() && a.flags().row_contiguous; }

bool there(const mx::array* a) { return a == nullptr || there(*a); }

// A matrix that takes so many inputs, and gives so many outputs.
bool fits(const Weight& weight, int64_t inputs, int64_t outputs) {
  return there(weight.w) && there(weight.scales) && there(weight.biases) && there(weight.bias) && takes_weight(weight) &&
      weight.w.shape(0) == outputs && misfit(weight, inputs).empty();
}

bool fits(const Norm& norm, int64_t length) {
  return norm.weight.ndim() == 1 && norm.weight.shape(0) == length && is_float(norm.weight.dtype()) && there(norm.weight);
}

bool takes(const Layer& layer, const mx::array& x, const CachePlaces& places) {
  if (x.ndim() != 2 || x.size() == 0 || x.shape(0) > kRowsComputedAtOnce || !is_float(x.dtype()) || !there(x)) return false;
  auto& s = layer.attention;
  int64_t size = x.shape(1);
  int64_t heads = static_cast<int64_t>(s.heads) * s.dims;
  int64_t kv_heads = static_cast<int64_t>(s.kv_heads) * s.dims;
  int64_t inner = layer.gate.w.shape(0);
  auto head_norm = [&](const mx::array* norm) { return norm == nullptr || fits(Norm{*norm, 0}, s.dims); };
  return takes_places(places, s) && there(places.key_pool) && there(places.value_pool) && there(places.positions) &&
      there(places.sequences) && there(places.tables) && there(places.angles) &&
      (!places.tables || places.key_pool.shape(2) % kKeyBlock == 0) && fits(layer.attention_norm, size) &&
      head_norm(layer.query_norm) && head_norm(layer.key_norm) && fits(layer.queries, size, heads) &&
      fits(layer.keys, size, kv_heads) && fits(layer.values, size, kv_heads) && fits(layer.output, heads, size) &&
      fits(layer.feed_forward_norm, size) && fits(layer.gate, size, inner) && fits(layer.up, size, inner) &&
      fits(layer.down, inner, size);
}

// Memory for rows between two steps, of one run after the other on a thread.
class Between {
 public:
  struct Step {
    void* data;
    Float kind;
    int64_t length;
  };

  // For steps whose rows have so many elements in all.
  Between(int64_t rows, int64_t elements) : rows_(rows), next_(room().floats(rows * elements + kMostSteps * kSlack)) {}

  Step step(int64_t length, mx::Dtype type) {
    Step step{next_, kind_of(type), length};
    next_ = aligned(next_ + rows_ * length);
    return step;
  }

  Rows rows(const Step& step) const { return Rows(step.data, step.kind, rows_, step.length); }

 private:
  static constexpr int64_t kMostSteps = 8;

  static Room& room() {
    thread_local Room room;
    return room;
  }

  int64_t rows_;
  float* next_;
};

RowNorm row_norm(const Norm& norm) { return {Rows(norm.weight), norm.eps}; }

std::optional<Rows> maybe_rows(const mx::array* a) { return a ? std::optional<Rows>(*a) : std::nullopt; }

} // namespace

std::optional<mx::array> run(const Layer& layer, const mx::array& x, const CachePlaces& places) {
  if (!takes(layer, x, places)) return std::nullopt;
  auto& s = layer.attention;
  int64_t rows = x.shape(0);
  int64_t size = x.shape(1);
  int64_t heads = s.heads * s.dims;
  int64_t kv_heads = s.kv_heads * s.dims;
  int64_t inner = layer.gate.w.shape(0);
  Between between(rows, 2 * (heads + kv_heads) + size + inner);
  Rows given(x);

  auto type = promoted(x.dtype(), layer.attention_norm, {layer.queries, layer.keys, layer.values});
  auto queries = between.step(heads, type);
  auto keys = between.step(kv_heads, type);
  auto values = between.step(kv_heads, type);
  ProductTask{given, row_norm(layer.attention_norm),
              {part_of(layer.queries, queries.data), part_of(layer.keys, keys.data), part_of(layer.values, values.data)},
              Finish::none, {}, queries.kind}();

  auto mixed = between.step(heads, type);
  CachedAttentionTask{s, between.rows(queries), between.rows(keys), between.rows(values), CacheData(places),
                      maybe_rows(layer.query_norm), maybe_rows(layer.key_norm), mixed.data, mixed.kind}();

  type = mx::promote_types(promoted(type, {}, {layer.output}), x.dtype());
  auto attended = between.step(size, type);
  ProductTask{between.rows(mixed), {}, {part_of(layer.output, attended.data)}, Finish::add, given, attended.kind}();

  type = promoted(type, layer.feed_forward_norm, {layer.gate, layer.up});
  auto gated = between.step(inner, type);
  ProductTask{between.rows(attended), row_norm(layer.feed_forward_norm),
              {part_of(layer.gate, gated.data), part_of(layer.up, nullptr)}, layer.gated, {}, gated.kind}();

  type = promoted(type, {}, {layer.down});
  mx::array out({static_cast<int>(rows), static_cast<int>(size)}, type, nullptr, {});
  out.set_data(mx::allocator::malloc(out.nbytes()));
  ProductTask{between.rows(gated), {}, {part_of(layer.down, out.data<void>())}, Finish::add, between.rows(attended), kind_of(type)}();
  out.set_status(mx::array::Status::available);
  return out;
}

} // namespace vm::cpu
