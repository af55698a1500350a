// Rows of activations on their way through matrices of weights: what the products share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "floats.h"
#include "kernels.h"
#include "pool.h"

namespace vm::cpu {

// So many rows at once: they stay in the second-level cache while the weights stream by.
constexpr int64_t kRowsAtOnce = 64;
// Outputs for which a further thread pays.
constexpr int64_t kGrain = 16;

// Up to kSlack floats further, where a line of the cache begins: a vector on two of them takes twice the time.
constexpr int64_t kSlack = 15;

inline float* aligned(float* p) { return p + -reinterpret_cast<uintptr_t>(p) % 64 / 4; }

// Memory that grows and stays: zeros at first, and then what was left there, of whoever had it.
class Room {
 public:
  // At least so many floats, from where a line of the cache begins. What was here before is lost where it has to grow.
  float* floats(int64_t count) {
    if (count > count_) {
      room_.reset(new float[count + kSlack]());
      count_ = count;
    }
    return aligned(room_.get());
  }

 private:
  std::unique_ptr<float[]> room_;
  int64_t count_ = 0;
};

// A thread's own, for the length of a kernel's call.
inline float* scratch(int64_t floats) {
  thread_local Room room;
  return room.floats(floats);
}

// One of the matrices of a product, and where its results go.
struct Part {
  Matrix w;
  const void* bias; // null for none
  Float bias_kind;
  void* out;
  std::vector<float> widened_bias;

  const float* bias_floats() {
    if (bias == nullptr || bias_kind == Float::f32) return static_cast<const float*>(bias);
    if (widened_bias.empty()) {
      widened_bias.resize(w.outputs);
      read_floats(bias, bias_kind, 0, w.outputs, widened_bias.data());
    }
    return widened_bias.data();
  }
};

inline void add(const float* more, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i++) to[i] += more[i];
}

// The product of a block of rows: activations as the kernels want them, and results in float32 or on their way there. A thread
// has one at a time: it lends its memory for the rows.
class Block {
 public:
  Block(const Rows& x, const std::vector<Part>& parts) : x_(x), stride_(padded(x.length())) {
    auto& set = kernels();
    for (auto& part : parts) {
      room_ = std::max(room_, room_for(part.w));
      int id = set.layout(part.w);
      bool known = std::any_of(layouts_.begin(), layouts_.end(), [&](auto& layout) { return layout.id == id; });
      if (id != 0 && !known) layouts_.push_back({id, &part.w, round_up(set.laid_out(part.w)), nullptr});
    }
  }

  // Reads, norms and lays out `count` rows, of which `row_of` says which they are.
  template <class RowOf>
  void prepare(int64_t count, const RowOf& row_of, const float* norm = nullptr, float eps = 0, bool normed = false) {
    int64_t floats = stride_;
    for (auto& layout : layouts_) floats += layout.stride;
    rows_ = row_room().floats(count * floats);
    float* next = rows_ + count * stride_;
    for (auto& layout : layouts_) {
      layout.rows = next;
      next += count * layout.stride;
    }
    auto& set = kernels();
    int64_t length = x_.length();
    parallel_for(count, 4, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        float* row = rows_ + r * stride_;
        x_.read(row_of(r), row);
        std::fill(row + length, row + stride_, 0.0f);
        if (normed) set.rms_norm(row, norm, length, eps, row);
        for (auto& layout : layouts_) set.lay_out(*layout.w, row, layout.rows + r * layout.stride);
      }
    });
    count_ = count;
  }

  // Outputs [begin, end) of a part, with its bias, to y[r * ldy + output].
  void multiply(Part& part, int64_t begin, int64_t end, float* y, int64_t ldy) const {
    auto& set = kernels();
    const float* rows = rows_;
    int64_t stride = stride_;
    int id = set.layout(part.w);
    for (auto& layout : layouts_) {
      if (layout.id == id) {
        rows = layout.rows;
        stride = layout.stride;
      }
    }
    set.multiply(part.w, rows, stride, count_, begin, end, y, ldy, scratch(room_));
    if (auto bias = part.bias_floats()) {
      for (int64_t r = 0; r < count_; r++) add(bias + begin, end - begin, y + r * ldy + begin);
    }
  }

 private:
  struct Layout {
    int id;
    const Matrix* w;
    int64_t stride; // of its rows
    float* rows;
  };

  static Room& row_room() {
    thread_local Room room;
    return room;
  }

  static int64_t round_up(int64_t floats) { return (floats + 15) / 16 * 16; } // whole lines of the cache

  const Rows& x_;
  int64_t stride_;
  int64_t room_ = 0;
  int64_t count_ = 0;
  float* rows_ = nullptr; // as they come, and then as they are laid out
  std::vector<Layout> layouts_; // that the parts want
};

} // namespace vm::cpu
