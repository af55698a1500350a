#include "cached_attention.h"

#include <memory>
#include <stdexcept>

#include "attend_run.h"
#include "cached_attention_task.h"
#include "floats.h"
#include "primitive.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

class CachedAttention : public Primitive {
 public:
  CachedAttention(mx::Stream stream, const CachedAttentionSettings& settings, bool tabled)
      : Primitive(stream), settings_(settings), tabled_(tabled) {}

  const char* name() const override { return "VmCachedAttention"; }

 protected:
  // The pools come out in the memory that they came in with.
  void allocate(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    outputs[0].set_data(mx::allocator::malloc(outputs[0].nbytes()));
    for (size_t i : {1, 2}) outputs[i].copy_shared_buffer(inputs[2 + i]);
  }

  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    size_t next = 6;
    CachePlaces places{inputs[3], inputs[4], inputs[5]};
    if (tabled_) {
      places.sequences = &inputs[next++];
      places.tables = &inputs[next++];
    }
    if (settings_.turned > 0) places.angles = &inputs[next++];
    std::optional<Rows> query_norm;
    if (settings_.query_eps) query_norm.emplace(inputs[next++]);
    std::optional<Rows> key_norm;
    if (settings_.key_eps) key_norm.emplace(inputs[next++]);
    return CachedAttentionTask{
        settings_, Rows(inputs[0]), Rows(inputs[1]), Rows(inputs[2]), CacheData(places), query_norm, key_norm,
        outputs[0].data<void>(), kind_of(outputs[0].dtype())};
  }

 private:
  CachedAttentionSettings settings_;
  bool tabled_;
};

} // namespace

bool takes_places(const CachePlaces& places, const CachedAttentionSettings& s) {
  auto takes = [&](const mx::array& pool) {
    return pool.ndim() == 4 && pool.shape(1) == s.kv_heads &&
        (pool.dtype() == mx::int8 ? pool.shape(3) == s.dims + kScaleBytes : pool.shape(3) == s.dims && is_float(pool.dtype()));
  };
  return takes(places.key_pool) && takes(places.value_pool) && places.key_pool.dtype() == places.value_pool.dtype() &&
      (s.turned == 0 || places.angles) && s.dims <= kMostDims && s.heads % s.kv_heads == 0 && s.turned % 2 == 0 &&
      s.turned <= s.dims;
}

bool takes_cached_attention(const CachedAttentionInputs& in, const CachedAttentionSettings& s) {
  auto flat = [&](const mx::array& a, int heads) {
    return a.ndim() == 2 && a.shape(1) == heads * s.dims && is_float(a.dtype());
  };
  return flat(in.queries, s.heads) && flat(in.keys, s.kv_heads) && flat(in.values, s.kv_heads) && in.queries.size() > 0 &&
      takes_places(in.places, s);
}

std::vector<mx::array> cached_attention(
    const CachedAttentionInputs& in, const CachedAttentionSettings& settings, mx::Stream stream) {
  auto& places = in.places;
  std::vector<mx::array> inputs{
      in.queries, in.keys, in.values, places.key_pool, places.value_pool, row_major(places.positions, stream)};
  if (places.tables) {
    if (places.key_pool.shape(2) % kKeyBlock != 0) throw std::invalid_argument("[attend] a block holds a multiple of 32 tokens");
    inputs.push_back(row_major(*places.sequences, stream));
    inputs.push_back(row_major(*places.tables, stream));
  }
  if (settings.turned > 0) inputs.push_back(row_major(*places.angles, stream));
  if (in.query_norm) inputs.push_back(*in.query_norm);
  if (in.key_norm) inputs.push_back(*in.key_norm);
  auto& pool = places.key_pool;
  return Primitive::results(
      std::make_shared<CachedAttention>(stream, settings, places.tables != nullptr), std::move(inputs),
      {in.queries.shape(), pool.shape(), pool.shape()}, {in.queries.dtype(), pool.dtype(), pool.dtype()});
}

} // namespace vm::cpu
