#include "attention.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "floats.h"
#include "kernels.h"
#include "pool.h"
#include "primitive.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

// The kernel keeps one head on the stack.
constexpr int kMostDims = 512;

// Queries, keys or values where they lie. The kernel wants a head's elements side by side; where they are not, which no
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

  const void* of_batch(int64_t b) const { return data_ + b * batch_ * bytes_of(kind_); }
  Float kind() const { return kind_; }
  int64_t head() const { return head_; }
  int64_t row() const { return row_; }

 private:
  Rows rows_;
  std::shared_ptr<std::vector<float>> room_;
  const char* data_;
  Float kind_;
  int64_t batch_, head_, row_;
};

class AttentionOp : public Primitive {
 public:
  AttentionOp(mx::Stream stream, float scale, bool causal) : Primitive(stream), scale_(scale), causal_(causal) {}

  const char* name() const override { return "VmAttention"; }

 protected:
  void allocate(const std::vector<mx::array>& inputs, mx::array& out) override {
    int64_t heads = out.shape(1);
    int64_t rows = out.shape(2);
    int64_t dims = out.shape(3);
    allocate_strided(out, mx::Strides{rows * heads * dims, dims, heads * dims, 1});
  }

  std::function<void()> task(const std::vector<mx::array>& inputs, mx::array& out) override {
    bool copied = Operand::scattered(inputs[1]) || Operand::scattered(inputs[2]);
    Operand q(inputs[0], Operand::scattered(inputs[0]));
    Operand k(inputs[1], copied);
    Operand v(inputs[2], copied);
    Attention a{};
    a.query_kind = q.kind();
    a.kv_kind = k.kind();
    a.query_head = q.head();
    a.query_row = q.row();
    a.key_head = k.head();
    a.key_row = k.row();
    a.value_head = v.head();
    a.value_row = v.row();
    a.heads = out.shape(1);
    a.kv_heads = inputs[1].shape(1);
    a.rows = out.shape(2);
    a.keys_count = inputs[1].shape(2);
    a.dims = out.shape(3);
    a.out_head = a.dims;
    a.out_row = a.heads * a.dims;
    a.scale = scale_;
    a.causal = causal_;
    return [a, q, k, v, to = out.data<void>(), kind = kind_of(out.dtype()),
            batch = static_cast<int64_t>(out.shape(0))]() mutable {
      q.settle();
      k.settle();
      v.settle();
      int64_t size = a.heads * a.rows * a.dims;
      std::unique_ptr<float[]> converted(kind == Float::f32 ? nullptr : new float[size]);
      // Work of some 10 us for a thread: short histories stay on one.
      int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, a.keys_count * a.dims));
      for (int64_t b = 0; b < batch; b++) {
        a.queries = q.of_batch(b);
        a.keys = k.of_batch(b);
        a.values = v.of_batch(b);
        a.out = kind == Float::f32 ? static_cast<float*>(to) + b * size : converted.get();
        parallel_for(a.heads * a.rows, grain, [&](int64_t begin, int64_t end) {
          // Items go by rows within a head, so that a piece meets the same keys again and again.
          for (int64_t item = begin; item < end;) {
            int64_t head = item / a.rows;
            int64_t row = item % a.rows;
            int64_t last = std::min(a.rows, row + end - item);
            kernels().attend(a, head, row, last);
            item += last - row;
          }
        });
        if (kind != Float::f32) write_floats(converted.get(), size, kind, b * size, to);
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
  return mx::array(
      q.shape(), q.dtype(), std::make_shared<AttentionOp>(stream, scale, causal),
{q, k, v});
}

} // namespace vm::cpu
