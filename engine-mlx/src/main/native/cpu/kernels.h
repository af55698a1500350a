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

struct Kernels {
  const char* name;

  // How many floats a prepared row of so many inputs takes.
  int64_t (*prepared_size)(const Quantized& w);

  // Lays a row of activations out as the packed weights will meet it, and sums each group after it.
  void (*prepare)(const Quantized& w, const float* row, float* prepared);

  // y[r * ldy + n] for prepared rows [0, rows) and outputs [begin, end). A result depends on its
  // own row and output alone, bit for bit, whatever else is computed in the call.
  void (*multiply)(const Quantized& w, const float* prepared, int64_t rows, int64_t begin,
                   int64_t end, float* y, int64_t ldy);
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
