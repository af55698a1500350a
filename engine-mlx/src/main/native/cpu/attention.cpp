#include "attention.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "attend_run.h"
#include "floats.h"
#include "kernels.h"
#include "pool.h"
#include "primitive.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

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

} // namespace vm::cpu
