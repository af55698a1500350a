// What the primitives share. One of many rows becomes a node of MLX's graph and later a task of its CPU stream. One of few
// rows is computed where it is asked for: a decode step is some 150 of them, of microseconds each, and graph, evaluation and
// the stream's thread would cost as much as the work. Both ways run the same task.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <mlx/backend/cpu/encoder.h>
#include <mlx/mlx.h>
#include <mlx/primitives.h>

namespace vm::cpu {

// Results of so many rows are computed at once; those of more, as of a prefill, could not all be kept until their scope ends.
constexpr int64_t kRowsComputedAtOnce = 64;

class Primitive : public mlx::core::Primitive {
 public:
  explicit Primitive(mlx::core::Stream stream) : mlx::core::Primitive(stream) {}

  // The outputs, computed or to be computed.
  static std::vector<mlx::core::array> results(
      std::shared_ptr<Primitive> op, std::vector<mlx::core::array> inputs, std::vector<mlx::core::Shape> shapes,
      const std::vector<mlx::core::Dtype>& types);
  static mlx::core::array result(
      std::shared_ptr<Primitive> op, std::vector<mlx::core::array> inputs, mlx::core::Shape shape, mlx::core::Dtype type) {
    return std::move(results(std::move(op), std::move(inputs), {std::move(shape)}, {type})[0]);
  }

  void eval_cpu(const std::vector<mlx::core::array>& inputs, std::vector<mlx::core::array>& outputs) final {
    allocate(inputs, outputs);
    mlx::core::cpu::get_command_encoder(stream()).dispatch(task(inputs, outputs));
  }

  void eval_gpu(const std::vector<mlx::core::array>&, std::vector<mlx::core::array>&) final {
    throw std::runtime_error(std::string(name()) + " is for the CPU and was put on a GPU stream");
  }

 protected:
  // Gives the outputs their memory: row-major unless overridden.
  virtual void allocate(const std::vector<mlx::core::array>& inputs, std::vector<mlx::core::array>& outputs) {
    for (auto& out : outputs) out.set_data(mlx::core::allocator::malloc(out.nbytes()));
  }

  // The work. It may hold addresses of data, not arrays.
  virtual std::function<void()> task(
      const std::vector<mlx::core::array>& inputs, std::vector<mlx::core::array>& outputs) = 0;
};

// Memory for `out` with strides of its own that cover it without a gap.
void allocate_strided(mlx::core::array& out, mlx::core::Strides strides);

// The array with its data row-major. Weights are so already: then no node is added to the graph.
inline mlx::core::array row_major(const mlx::core::array& a, mlx::core::Stream stream) {
  bool known = a.status() != mlx::core::array::Status::unscheduled;
  return known && a.flags().row_contiguous ? a : mlx::core::contiguous(a, false, stream);
}

} // namespace vm::cpu
