// x w^T with dense or packed weights on a CPU stream, and what goes with it in a transformer. Sums are float32; a row's
// result does not depend on the other rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <mlx/mlx.h>

namespace vm::cpu {

// A matrix of weights [outputs, inputs]. Dense in f32, f16 or bf16 where `bits` is 0; else w is [outputs, inputs * bits / 32]
// uint32 with scales and biases [outputs, inputs / group], as MLX packs them. Of arrays that another keeps.
struct Weight {
  const mlx::core::array& w;
  const mlx::core::array* scales = nullptr;
  const mlx::core::array* biases = nullptr;
  const mlx::core::array* bias = nullptr; // [outputs], added to the product
  int group = 0;
  int bits = 0;
};

// Whether a packed weight is of a form that the kernels know.
bool packs_well(const Weight& weight);

// Why a weight does not take so many inputs, or its parts do not fit each other; empty where they do.
std::string misfit(const Weight& weight, int64_t inputs);

// Throws std::invalid_argument where there is a misfit.
void check_inputs(const Weight& weight, int64_t inputs);

// The norm that rows go through before a product: x / sqrt(mean(x^2) + eps) * weight. Of an array that another keeps.
struct Norm {
  const mlx::core::array& weight;
  float eps;
};

// What a type becomes by a norm, and by weights.
mlx::core::Dtype promoted(mlx::core::Dtype type, const std::optional<Norm>& norm, const std::vector<Weight>& weights);

// What becomes of the products.
enum class Finish {
  none,   // each is a result
  add,    // `added`, of its shape, is added to the one product
  swiglu, // silu(first) * second is the one result
  geglu   // gelu(first) * second
};

// x [..., inputs], each weight [outputs, inputs]. Gives [..., outputs] for each weight, or one result, in the type that x,
// weights and `added` promote to. Throws std::invalid_argument for shapes that do not fit.
std::vector<mlx::core::array> product(
    const mlx::core::array& x, const std::optional<Norm>& norm, const std::vector<Weight>& weights, Finish finish,
    const std::optional<mlx::core::array>& added, mlx::core::Stream stream);

// Whether product() can take them; shapes that do not fit each other are its own business.
bool takes_weight(const Weight& weight);
bool takes_product(const mlx::core::array& x, const std::vector<Weight>& weights);

// Whether two products become one gated result.
inline bool gates(Finish finish) { return finish == Finish::swiglu || finish == Finish::geglu; }

// Rows of a packed matrix by their indices [...], unpacked: [..., inputs].
mlx::core::array embedding(
    const mlx::core::array& indices, const Weight& weight, mlx::core::Dtype type, mlx::core::Stream stream);
bool takes_embedding(const mlx::core::array& indices, const Weight& weight);

} // namespace vm::cpu
