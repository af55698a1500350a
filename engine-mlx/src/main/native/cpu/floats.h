// Arrays of any float type, read and written as float32.
#pragma once

#include <cstdint>
#include <vector>

#include <mlx/mlx.h>

#include "kernels.h"

namespace vm::cpu {

bool is_float(mlx::core::Dtype type);
Float kind_of(mlx::core::Dtype type); // of a type that is_float
inline int64_t bytes_of(Float kind) { return kind == Float::f32 ? 4 : 2; }

void read_floats(const void* from, Float kind, int64_t offset, int64_t count, float* to);
void write_floats(const float* from, int64_t count, Float kind, int64_t offset, void* to);

// An evaluated array as rows along its last axis, whatever its strides. It holds the data's address and not the
// array: MLX keeps a primitive's inputs until its task has run.
class Rows {
 public:
  explicit Rows(const mlx::core::array& a);

  // Dense rows.
  Rows(const void* data, Float kind, int64_t rows, int64_t length)
      : data_(data), kind_(kind), length_(length), rows_(rows), step_(1), dense_(true) {}

  int64_t rows() const { return rows_; }
  int64_t length() const { return length_; }

  // Elements from the start of the data to the start of a row.
  int64_t offset(int64_t row) const {
    if (dense_) return row * length_;
    int64_t at = 0;
    for (int axis = static_cast<int>(shape_.size()) - 1; axis >= 0; axis--) {
      at += row % shape_[axis] * strides_[axis];
      row /= shape_[axis];
    }
    return at;
  }

  void read(int64_t row, float* to) const;

  // The row itself where it is dense float32, else a copy in `room`.
  const float* floats(int64_t row, float* room) const {
    if (float_already()) return static_cast<const float*>(data_) + offset(row);
    read(row, room);
    return room;
  }

  // The same with room that is made where it is needed.
  const float* floats(int64_t row, std::vector<float>& room) const {
    if (!float_already()) room.resize(length_);
    return floats(row, room.data());
  }

 private:
  bool float_already() const { return kind_ == Float::f32 && step_ == 1; }

  const void* data_;
  Float kind_;
  int64_t length_;
  int64_t rows_;
  int64_t step_; // of the last axis
  bool dense_;
  std::vector<int64_t> shape_; // of the other axes
  std::vector<int64_t> strides_;
};

} // namespace vm::cpu
