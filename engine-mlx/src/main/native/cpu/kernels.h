// The inner loops, compiled once for each instruction set, chosen at run time.
#pragma once

#include <cstdint>

namespace vm::cpu {

enum class Float { f32, f16, bf16 };

// A weight matrix [outputs, inputs] in MLX's affine form: w = scale * q + bias, one scale and bias
// for each `group` inputs of an output, the q of an output packed from the lowest bit up.
struct Quantized {
  const uint8_t* packed;  // [outputs, inputs * bits / 8] bytes
  const void* scales;     // [outputs, inputs / group]
  const void* biases;
  Float dtype;            // of scales and biases
  int64_t inputs;
  int group;
  int bits;
};

// Rows of queries that attend to the keys before them. Strides are in elements; the last axis is
// dense. All of a sequence's keys are given, from its position `first_key` on.
struct Attention {
  const void* queries;  // [heads, rows, dims]
  const void* keys;     // [kv_heads, keys, dims]
  const void* values;   // [kv_heads, keys, dims]
  float* out;           // [heads, rows, dims]
  Float query_kind;
  Float kv_kind;
  int64_t query_head, query_row;
  int64_t key_head, key_row;
  int64_t value_head, value_row;
  int64_t out_head, out_row;
  int64_t heads, kv_heads, rows, keys_count, dims;
  float scale;
  // Row r sees the keys up to keys_count - rows + r where causal, else all.
  bool causal;
};

// A weight matrix [outputs, inputs], row-major.
struct Dense {
  const void* weights;
  Float kind;
  int64_t inputs;
};

struct Kernels {
  const char* name;

  // Elements [offset, offset + count) as float32.
  void (*widen)(const void* from, Float kind, int64_t offset, int64_t count, float* to);

  // y[r * ldy + n] = x[r] . w[n] for rows [0, rows), ldx apart, and outputs [begin, end). As below, a result depends on
  // its own row and output alone.
  void (*multiply_dense)(const Dense& w, const float* x, int64_t ldx, int64_t rows, int64_t begin, int64_t end, float* y,
                         int64_t ldy);

  // How many floats a prepared row of so many inputs takes.
  int64_t (*prepared_size)(const Quantized& w);

  // Lays a row of activations out as the packed weights will meet it, and sums each group after it.
  void (*prepare)(const Quantized& w, const float* row, float* prepared);

  // y[r * ldy + n] for prepared rows [0, rows) and outputs [begin, end). A result depends on its
  // own row and output alone, bit for bit, whatever else is computed in the call.
  void (*multiply)(const Quantized& w, const float* prepared, int64_t rows, int64_t begin,
                   int64_t end, float* y, int64_t ldy);

  // One row: x / sqrt(mean(x^2) + eps) * weight. `weight` may be null.
  void (*rms_norm)(const float* x, const float* weight, int64_t count, float eps, float* y);

  // gate / (1 + e^-gate) * up
  void (*swiglu)(const float* gate, const float* up, int64_t count, float* y);

  // The rows of one head, [begin, end). A row's result depends on its own query and the keys it
  // sees, bit for bit, and not on which rows come with it.
  void (*attend)(const Attention& a, int64_t head, int64_t begin, int64_t end);
};

const Kernels& portable_kernels();
#if defined(__x86_64__)
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();
#endif

// The best set that this machine has, or the one chosen.
const Kernels& kernels();

// Chooses a set by name ("portable", "avx2", "avx512") or the best ("auto"). False when this
// machine does not have it.
bool choose_kernels(const char* name);

}  // namespace vm::cpu
