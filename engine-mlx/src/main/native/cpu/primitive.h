// What the primitives share: each runs as one task of its CPU stream, which spreads it over the pool's threads.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <mlx/backend/cpu/encoder.h>
#include <mlx/mlx.h>
#include <mlx/primitives.h>

namespace vm::cpu {

class Primitive : public mlx::core::Primitive {
 public:
  explicit Primitive(mlx::core::Stream stream) : mlx::core::Primitive(stream) {}

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
