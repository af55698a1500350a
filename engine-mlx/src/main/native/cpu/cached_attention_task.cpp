#include "cached_attention_task.h"

#include <algorithm>
#include <cfloat>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "attend_run.h"
#include "kernels.h"
#include "pool.h"
#include "rope.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

// Of a head's keys, and of its values.
constexpr int64_t kFewElements = 8192;

// A row as int8, of which the largest is 127 or -127, and the float32 that they are multiplied by. What is not finite makes all of
// the row NaN when it is read.
void pack(const float* row, int64_t dims, char* to) {
  int32_t peak = 0; // the bits of numbers that are not negative are ordered as they are, NaN last
  for (int64_t d = 0; d < dims; d++) {
    int32_t bits;
    std::memcpy(&bits, row + d, 4);
    peak = std::max(peak, bits & 0x7fffffff);
  }
  float scale;
  std::memcpy(&scale, &peak, 4);
  scale = std::max(scale / 127, FLT_MIN);
  for (int64_t d = 0; d < dims; d++) {
    float rounded = row[d] / scale + 12582912.0f; // 1.5 * 2^23: the last bits are the whole number
    int32_t bits;
    std::memcpy(&bits, &rounded, 4);
    to[d] = static_cast<char>(bits);
  }
  std::memcpy(to + dims, &scale, kScaleBytes);
}

} // namespace

CacheData::CacheData(const CachePlaces& places)
    : keys(const_cast<char*>(places.key_pool.data<char>())),
      values(const_cast<char*>(places.value_pool.data<char>())),
      kind(kind_of(places.key_pool.dtype())),
      packed(places.key_pool.dtype() == mx::int8),
      element(static_cast<int64_t>(places.key_pool.itemsize())),
      stored(places.key_pool.shape(3)),
      block_size(places.key_pool.shape(2)),
      positions(places.positions.data<int32_t>()) {
  if (!places.key_pool.flags().row_contiguous || !places.value_pool.flags().row_contiguous) {
    throw std::runtime_error("[attend] the memory of keys and values must be row-major");
  }
  if (places.tables) {
    sequences = places.sequences->data<int32_t>();
    tables = places.tables->data<int32_t>();
    table_length = places.tables->shape(1);
  }
  if (places.angles) angles = places.angles->data<float>();
}

void CachedAttentionTask::operator()() const {
  int64_t size = queries.rows() * settings.heads * settings.dims;
  std::unique_ptr<float[]> arranged(new float[size]);
  place(arranged.get());
  std::unique_ptr<float[]> converted(kind == Float::f32 ? nullptr : new float[size]);
  float* results = converted ? converted.get() : static_cast<float*>(to);
  attend(arranged.get(), results);
  if (converted) write_floats(results, size, kind, 0, to);
}

// Norms and rotates queries and keys, and writes keys and values to where their position's block is.
void CachedAttentionTask::place(float* arranged) const {
  auto& s = settings;
  int64_t dims = s.dims;
  int64_t width = s.heads * dims;
  std::vector<float> query_room;
  std::vector<float> key_room;
  const float* query_factors = query_norm ? query_norm->floats(0, query_room) : nullptr;
  const float* key_factors = key_norm ? key_norm->floats(0, key_room) : nullptr;
  auto arrange = [&](float* heads, int64_t count, const float* norm, std::optional<float> eps, int64_t row) {
    for (int64_t h = 0; h < count; h++) {
      float* head = heads + h * dims;
      if (eps) kernels().rms_norm(head, norm, dims, *eps, head);
      if (s.turned > 0) turn(cache.angles + row * s.turned, s.turned, s.traditional, s.magnitude, dims, head);
    }
  };
  auto write = [&](const float* heads, int64_t at, char* pool) {
    for (int64_t h = 0; h < s.kv_heads; h++, at += cache.block_size * cache.stored) {
      if (cache.packed) {
        pack(heads + h * dims, dims, pool + at);
      } else {
        write_floats(heads + h * dims, dims, cache.kind, at, pool);
      }
    }
  };
  parallel_for(queries.rows(), 2, [&](int64_t begin, int64_t end) {
    std::vector<float> room(s.kv_heads * dims);
    for (int64_t r = begin; r < end; r++) {
      queries.read(r, arranged + r * width);
      arrange(arranged + r * width, s.heads, query_factors, s.query_eps, r);
      int64_t position = cache.positions[r];
      auto table = cache.table_of(r);
      int64_t row = table == nullptr
          ? position
          : table[position / cache.block_size] * s.kv_heads * cache.block_size + position % cache.block_size;
      keys.read(r, room.data());
      arrange(room.data(), s.kv_heads, key_factors, s.key_eps, r);
      write(room.data(), row * cache.stored, cache.keys);
      values.read(r, room.data());
      write(room.data(), row * cache.stored, cache.values);
    }
  });
}

void CachedAttentionTask::attend(const float* arranged, float* results) const {
  auto& s = settings;
  int64_t rows = queries.rows();
  int64_t dims = s.dims;
  int64_t width = s.heads * dims;
  int64_t head_stride = cache.block_size * cache.stored;
  int64_t block_stride = s.kv_heads * head_stride;
  int64_t most = 0;
  for (int64_t r = 0; r < rows; r++) most = std::max<int64_t>(most, cache.positions[r] + 1);
  int64_t group = s.heads / s.kv_heads;
  // Items go by head, then by row, then by the heads of the group: a run meets the same keys again and again.
  int64_t in_head = rows * group;
  // A further thread pays for a few heads of keys and values: they come from memory, in some 5 us.
  int64_t heads = std::clamp<int64_t>(kFewElements / std::max<int64_t>(1, most * dims), 1, 16);
  parallel_for(s.kv_heads * in_head, heads * group, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      int64_t h = begin / in_head;
      int64_t first = begin % in_head;
      int64_t row = first / group;
      // As far as the sequence and the head stay the same.
      int64_t last = std::min(in_head, first + end - begin);
      if (cache.sequences != nullptr) {
        int64_t same = row + 1;
        while (same * group < last && cache.sequences[same] == cache.sequences[row]) same++;
        last = std::min(last, same * group);
      }
      Attention a{{cache.keys + h * head_stride * cache.element, block_stride, cache.stored},
                  {cache.values + h * head_stride * cache.element, block_stride, cache.stored},
                  cache.kind, cache.table_of(row), cache.block_size, dims, s.window, s.scale, cache.packed};
      attend_run(a, first, last, [&](int64_t i) {
        int64_t at = i / group * width + (h * group + i % group) * dims;
        return Query{arranged + at, results + at, cache.positions[i / group]};
      });
      begin += last - first;
    }
  });
}

} // namespace vm::cpu
