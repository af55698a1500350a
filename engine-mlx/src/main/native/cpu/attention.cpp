#include "attention.h"

#include <algorithm>
#include <cfloat>
#include <cstring>
#include <memory>
#include <vector>

#include "floats.h"
#include "kernels.h"
#include "pool.h"
#include "primitive.h"
#include "rope.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

// The kernel keeps one head on the stack.
constexpr int kMostDims = 512;

// Keys or values where they lie. The kernel wants a head's elements side by side; where they are not, which no
// model does, they are copied first.
class Operand {
 public:
  explicit Operand(const mx::array& a, bool copied)
      : rows_(a), data_(a.data<char>()), kind_(kind_of(a.dtype())), batch_(a.strides(0)), head_(a.strides(1)), row_(a.strides(2)) {
    if (copied) {
      room_ = std::make_shared<std::vector<float>>(a.size());
      data_ = reinterpret_cast<char*>(room_->data());
      kind_ = Float::f32;
      row_ = a.shape(3);
      head_ = row_ * a.shape(2);
      batch_ = head_ * a.shape(1);
    }
  }

  static bool scattered(const mx::array& a) { return a.shape(3) != 1 && a.strides(3) != 1; }

  void settle() const {
    for (int64_t r = 0; room_ && r < rows_.rows(); r++) rows_.read(r, room_->data() + r * rows_.length());
  }

  Memory of_head(int64_t b, int64_t h) const { return {data_ + (b * batch_ + h * head_) * bytes_of(kind_), 0, row_}; }
  Float kind() const { return kind_; }

 private:
  Rows rows_;
  std::shared_ptr<std::vector<float>> room_;
  const char* data_;
  Float kind_;
  int64_t batch_, head_, row_;
};

// Queries of one key head that follow each other in [row, head of the group]: a run of them meets the same keys.
template <class At>
void attend_run(const Attention& a, int64_t begin, int64_t end, const At& query) {
  for (int64_t i = begin; i < end; i += kMostQueries) {
    Query queries[kMostQueries];
    int count = static_cast<int>(std::min<int64_t>(kMostQueries, end - i));
    for (int j = 0; j < count; j++) queries[j] = query(i + j);
    kernels().attend(a, queries, count);
  }
}

// Queries for which a further thread pays: work of some 10 us.
int64_t grain(int64_t keys, int64_t dims) {
  return std::max<int64_t>(kMostQueries, 262144 / std::max<int64_t>(1, keys * dims));
}

class AttentionOp : public Primitive {
 public:
  AttentionOp(mx::Stream stream, float scale, bool causal) : Primitive(stream), scale_(scale), causal_(causal) {}

  const char* name() const override { return "VmAttention"; }

 protected:
  void allocate(const std::vector<mx::array>&, std::vector<mx::array>& outputs) override {
    auto& out = outputs[0];
    int64_t heads = out.shape(1);
    int64_t rows = out.shape(2);
    int64_t dims = out.shape(3);
    allocate_strided(out, mx::Strides{rows * heads * dims, dims, heads * dims, 1});
  }

  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& out = outputs[0];
    bool copied = Operand::scattered(inputs[1]) || Operand::scattered(inputs[2]);
    Operand k(inputs[1], copied);
    Operand v(inputs[2], copied);
    return [q = Rows(inputs[0]), k, v, scale = scale_, causal = causal_, to = out.data<void>(), kind = kind_of(out.dtype()),
            batch = static_cast<int64_t>(out.shape(0)), heads = static_cast<int64_t>(out.shape(1)),
            rows = static_cast<int64_t>(out.shape(2)), dims = static_cast<int64_t>(out.shape(3)),
            kv_heads = static_cast<int64_t>(inputs[1].shape(1)), keys = static_cast<int64_t>(inputs[1].shape(2))] {
      k.settle();
      v.settle();
      int64_t size = heads * rows * dims;
      int64_t group = heads / kv_heads;
      std::vector<float> queries(size);
      std::unique_ptr<float[]> converted(kind == Float::f32 ? nullptr : new float[size]);
      for (int64_t b = 0; b < batch; b++) {
        for (int64_t i = 0; i < heads * rows; i++) q.read(b * heads * rows + i, queries.data() + i * dims);
        float* results = converted ? converted.get() : static_cast<float*>(to) + b * size;
        for (int64_t h = 0; h < kv_heads; h++) {
          Attention a{k.of_head(b, h), v.of_head(b, h), k.kind(), nullptr, keys, dims, 0, scale};
          parallel_for(rows * group, grain(keys, dims), [&](int64_t begin, int64_t end) {
            attend_run(a, begin, end, [&](int64_t i) {
              int64_t row = i / group;
              int64_t head = h * group + i % group;
              return Query{queries.data() + (head * rows + row) * dims, results + (row * heads + head) * dims,
                           causal ? keys - rows + row : keys - 1};
            });
          });
        }
        if (converted) write_floats(results, size, kind, b * size, to);
      }
    };
  }

 private:
  float scale_;
  bool causal_;
};

// Of a head's keys, and of its values.
constexpr int64_t kFewElements = 8192;

// Bytes after a row of int8: the float32 that they are multiplied by.
constexpr int kScaleBytes = 4;

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

// Norms and rotates queries and keys, writes keys and values to where their position's block is, and attends.
class CachedAttention : public Primitive {
 public:
  CachedAttention(mx::Stream stream, CachedAttentionSettings settings) : Primitive(stream), settings_(settings) {}

  const char* name() const override { return "VmCachedAttention"; }

 protected:
  // The pools come out in the memory that they came in with.
  void allocate(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    outputs[0].set_data(mx::allocator::malloc(outputs[0].nbytes()));
    for (size_t i : {1, 2}) outputs[i].copy_shared_buffer(inputs[2 + i]);
  }

  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& out = outputs[0];
    size_t next = 6;
    const int32_t* sequences = nullptr;
    const int32_t* tables = nullptr;
    int64_t table_length = 0;
    if (settings_.tabled) {
      sequences = inputs[next++].data<int32_t>();
      tables = inputs[next].data<int32_t>();
      table_length = inputs[next++].shape(1);
    }
    const float* angles = settings_.turned > 0 ? inputs[next++].data<float>() : nullptr;
    std::optional<Rows> query_norm;
    if (settings_.query_eps) query_norm.emplace(inputs[next++]);
    std::optional<Rows> key_norm;
    if (settings_.key_eps) key_norm.emplace(inputs[next++]);
    auto& pool = inputs[3];
    if (!pool.flags().row_contiguous || !inputs[4].flags().row_contiguous) {
      throw std::runtime_error("[attend] the memory of keys and values must be row-major");
    }
    return [s = settings_, q = Rows(inputs[0]), k = Rows(inputs[1]), v = Rows(inputs[2]),
            keys = const_cast<char*>(pool.data<char>()), values = const_cast<char*>(inputs[4].data<char>()),
            pool_kind = kind_of(pool.dtype()), packed = pool.dtype() == mx::int8,
            element = static_cast<int64_t>(pool.itemsize()), stored = static_cast<int64_t>(pool.shape(3)), block_size = static_cast<int64_t>(pool.shape(2)),
            positions = inputs[5].data<int32_t>(), sequences, tables, table_length, angles, query_norm, key_norm,
            to = out.data<void>(), kind = kind_of(out.dtype())] {
      int64_t rows = q.rows();
      int64_t dims = s.dims;
      int64_t width = s.heads * dims;
      int64_t key_width = s.kv_heads * dims;
      int64_t head_stride = block_size * stored;
      int64_t block_stride = s.kv_heads * head_stride;
      std::vector<float> queries(rows * width);
      std::vector<float> factors(2 * dims);
      const float* query_factors = query_norm ? query_norm->floats(0, factors.data()) : nullptr;
      const float* key_factors = key_norm ? key_norm->floats(0, factors.data() + dims) : nullptr;
      auto table_of = [&](int64_t row) { return tables == nullptr ? nullptr : tables + sequences[row] * table_length; };
      auto arrange = [&](float* heads, int64_t count, const float* norm, std::optional<float> eps, int64_t row) {
        for (int64_t h = 0; h < count; h++) {
          float* head = heads + h * dims;
          if (eps) kernels().rms_norm(head, norm, dims, *eps, head);
          if (angles != nullptr) turn(angles + row * s.turned, s.turned, s.traditional, s.magnitude, dims, head);
        }
      };
      auto write = [&](const float* heads, int64_t at, char* to) {
        for (int64_t h = 0; h < s.kv_heads; h++) {
          if (packed) {
            pack(heads + h * dims, dims, to + at + h * head_stride);
          } else {
            write_floats(heads + h * dims, dims, pool_kind, at + h * head_stride, to);
          }
        }
      };
      int64_t most = 0;
      for (int64_t r = 0; r < rows; r++) most = std::max<int64_t>(most, positions[r] + 1);
      parallel_for(rows, 8, [&](int64_t begin, int64_t end) {
        std::vector<float> room(key_width);
        for (int64_t r = begin; r < end; r++) {
          q.read(r, queries.data() + r * width);
          arrange(queries.data() + r * width, s.heads, query_factors, s.query_eps, r);
          auto table = table_of(r);
          int64_t block = table == nullptr ? 0 : table[positions[r] / block_size];
          int64_t at = block * block_stride + (table == nullptr ? positions[r] : positions[r] % block_size) * stored;
          k.read(r, room.data());
          arrange(room.data(), s.kv_heads, key_factors, s.key_eps, r);
          write(room.data(), at, keys);
          v.read(r, room.data());
          write(room.data(), at, values);
        }
      });
      std::unique_ptr<float[]> converted(kind == Float::f32 ? nullptr : new float[rows * width]);
      float* results = converted ? converted.get() : static_cast<float*>(to);
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
          if (sequences != nullptr) {
            int64_t same = row + 1;
            while (same * group < last && sequences[same] == sequences[row]) same++;
            last = std::min(last, same * group);
          }
          Attention a{{keys + h * head_stride * element, block_stride, stored},
                      {values + h * head_stride * element, block_stride, stored},
                      pool_kind, table_of(row), block_size, dims, s.window, s.scale, packed};
          attend_run(a, first, last, [&](int64_t i) {
            int64_t at = i / group * width + (h * group + i % group) * dims;
            return Query{queries.data() + at, results + at, positions[i / group]};
          });
          begin += last - first;
        }
      });
      if (converted) write_floats(results, rows * width, kind, 0, to);
    };
  }

 private:
  CachedAttentionSettings settings_;
};

} // namespace

bool takes_attention(const mx::array& q, const mx::array& k, const mx::array& v, bool causal) {
  return q.ndim() == 4 && k.ndim() == 4 && v.shape() == k.shape() && q.size() > 0 && k.size() > 0 &&
      q.shape(0) == k.shape(0) && q.shape(3) == k.shape(3) && q.shape(3) <= kMostDims &&
      q.shape(1) % k.shape(1) == 0 && (!causal || q.shape(2) <= k.shape(2)) && is_float(q.dtype()) &&
      is_float(k.dtype()) && v.dtype() == k.dtype() && mx::result_type(q, k) == q.dtype();
}

mx::array attention(
    const mx::array& q, const mx::array& k, const mx::array& v, float scale, bool causal, mx::Stream stream) {
  return Primitive::result(std::make_shared<AttentionOp>(stream, scale, causal), {q, k, v}, q.shape(), q.dtype());
}

bool takes_cached_attention(const CachedAttentionInputs& in, const CachedAttentionSettings& s) {
  auto flat = [&](const mx::array& a, int heads) {
    return a.ndim() == 2 && a.shape(1) == heads * s.dims && is_float(a.dtype());
  };
  auto pool = [&](const mx::array& a) {
    return a.ndim() == 4 && a.shape(1) == s.kv_heads &&
        (a.dtype() == mx::int8 ? a.shape(3) == s.dims + kScaleBytes : a.shape(3) == s.dims && is_float(a.dtype()));
  };
  return flat(in.queries, s.heads) && flat(in.keys, s.kv_heads) && flat(in.values, s.kv_heads) && in.queries.size() > 0 &&
      pool(in.key_pool) && pool(in.value_pool) && in.key_pool.dtype() == in.value_pool.dtype() && s.dims <= kMostDims &&
      s.heads % s.kv_heads == 0 && s.turned % 2 == 0 && s.turned <= s.dims;
}

std::vector<mx::array> cached_attention(
    const CachedAttentionInputs& in, CachedAttentionSettings settings, mx::Stream stream) {
  std::vector<mx::array> inputs{in.queries, in.keys, in.values, in.key_pool, in.value_pool, row_major(in.positions, stream)};
  settings.tabled = in.tables.has_value();
  if (in.tables) {
    if (in.key_pool.shape(2) % kKeyBlock != 0) throw std::invalid_argument("[attend] a block holds a multiple of 32 tokens");
    inputs.push_back(row_major(*in.sequences, stream));
    inputs.push_back(row_major(*in.tables, stream));
  }
  if (settings.turned > 0) inputs.push_back(row_major(*in.angles, stream));
  if (in.query_norm) inputs.push_back(*in.query_norm);
  if (in.key_norm) inputs.push_back(*in.key_norm);
  auto& pool = in.key_pool;
  return Primitive::results(
      std::make_shared<CachedAttention>(stream, settings), std::move(inputs),
      {in.queries.shape(), pool.shape(), pool.shape()}, {in.queries.dtype(), pool.dtype(), pool.dtype()});
}

} // namespace vm::cpu
