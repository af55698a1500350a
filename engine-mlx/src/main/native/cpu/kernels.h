// The inner loops, compiled once for each instruction set, chosen at run time.
#pragma once

#include <cstdint>

namespace vm::cpu {

enum class Float { f32, f16, bf16 };

// Of a gated unit. gelu is the one by tanh, as models with a GELU gate compute it.
enum class Activation { silu, gelu };

// A weight matrix [outputs, inputs], row by row. Dense where bits is 0: `data` then holds elements of `kind`. Else in
// MLX's affine form: w = scale * q + bias, one scale and bias, of `kind`, for each `group` inputs of an output, the q of
// an output packed from the lowest bit up.
struct Matrix {
  const void* data;
  const void* scales;  // [outputs, inputs / group]
  const void* biases;
  Float kind;
  int64_t outputs;
  int64_t inputs;
  int group;
  int bits;
};

// Rows of activations are padded with zeros to a multiple of so many, whatever the instruction set.
constexpr int64_t kPadding = 16;

inline int64_t padded(int64_t count) { return (count + kPadding - 1) / kPadding * kPadding; }

// Floats of scratch memory that a product takes: some rows unpacked, their scales and biases, and one row as it is packed; or
// the sums of a tile.
inline int64_t room_for(const Matrix& w) { return 6 * padded(w.inputs) + 20000; }

// Keys and values of one head of one sequence, where they lie: in blocks of `block_size` positions each, `block` apart. A
// row of `dims` elements is dense, and rows of a block are `row` apart. All in elements.
struct Memory {
  const void* data;  // of the head in the first block
  int64_t block;
  int64_t row;
};

struct Attention {
  Memory keys;
  Memory values;
  Float kind;            // of keys and values
  const int32_t* table;  // which block holds positions [i * block_size, (i + 1) * block_size); null for block 0 alone
  int64_t block_size;    // a multiple of kKeyBlock where there is a table
  int64_t dims;
  int64_t window;        // positions that a query sees, its own included; 0 for all
  float scale;
  bool scaled = false;   // a row is int8, and after them the float32 that they are multiplied by; `kind` is of no account
};

// Keys that are taken together. They begin at multiples of it.
constexpr int64_t kKeyBlock = 32;
// The most queries that one call takes.
constexpr int kMostQueries = 4;

// A query of a head, and where its result goes: [dims] each. It sees keys up to its position.
struct Query {
  const float* q;
  float* out;
  int64_t position;
};

struct Kernels {
  const char* name;

  // Elements [offset, offset + count) as float32.
  void (*widen)(const void* from, Float kind, int64_t offset, int64_t count, float* to);

  // How rows are laid out to be multiplied with this matrix: 0 as they are, else a number that all matrices have that take the
  // same layout. Then it takes so many floats, and lay_out() makes it of a padded row.
  int (*layout)(const Matrix& w);
  int64_t (*laid_out)(const Matrix& w);
  void (*lay_out)(const Matrix& w, const float* row, float* to);

  // y[r * ldy + n] = x[r] . w[n] for rows [0, rows), which are ldx apart, padded or laid out, and outputs [begin, end). A result
  // depends on its own row and output alone, bit for bit, whatever else is computed in the call.
  // `room` is scratch memory of room_for(w) floats, from a multiple of 64 bytes on.
  void (*multiply)(const Matrix& w, const float* x, int64_t ldx, int64_t rows, int64_t begin, int64_t end, float* y,
                   int64_t ldy, float* room);

  // One row of a matrix as float32.
  void (*unpack)(const Matrix& w, int64_t output, float* to, float* room);

  // One row: x / sqrt(mean(x^2) + eps) * weight. `weight` may be null.
  void (*rms_norm)(const float* x, const float* weight, int64_t count, float eps, float* y);

  // activation(gate) * up
  void (*gate)(Activation activation, const float* gate, const float* up, int64_t count, float* y);

  // Queries that meet the same keys, kMostQueries or fewer. A result depends on its own query and the keys that it sees,
  // bit for bit, and not on which queries come with it.
  void (*attend)(const Attention& a, const Query* queries, int count);
};

const Kernels& portable_kernels();
#if defined(__x86_64__)
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();
const Kernels& avx512vnni_kernels();
#elif defined(__aarch64__)
const Kernels& neon_kernels();
const Kernels& neondot_kernels();
#endif

// The best set that this machine has, or the one chosen.
const Kernels& kernels();

// Chooses a set by name ("portable", "avx2", "avx512", "avx512vnni", "neon", "neondot") or the best ("auto"). False when
// this machine does not have it.
bool choose_kernels(const char* name);

}  // namespace vm::cpu
