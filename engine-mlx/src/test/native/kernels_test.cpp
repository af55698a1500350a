// The kernels without MLX: every set of this machine against float64, and bit for bit against itself in other company. It runs
// where the kernels run, so also under an emulator of another processor; see `run` beside it.
//   kernels_test            tests, and says what failed
//   kernels_test speed [SET]   what one thread reads of packed and dense weights, and multiplies
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "cpu/kernels.h"

namespace {

using namespace vm::cpu;

int failures = 0;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  failures++;
  std::printf("FAILED %s\n", what.c_str());
}

const char* name_of(Float kind) { return kind == Float::f32 ? "f32" : kind == Float::f16 ? "f16" : "bf16"; }

// Some values of a normal distribution, as they are in a type.
uint16_t narrowed(float v, Float kind) {
  uint32_t bits;
  std::memcpy(&bits, &v, 4);
  if (kind == Float::bf16) return bits >> 16;
  int exponent = static_cast<int>(bits >> 23 & 255) - 112;
  if (exponent <= 0) return bits >> 16 & 0x8000;
  return (bits >> 16 & 0x8000) | std::min(exponent, 30) << 10 | (bits >> 13 & 0x3ff);
}

double widened(const void* data, Float kind, int64_t at) {
  if (kind == Float::f32) return static_cast<const float*>(data)[at];
  uint16_t v = static_cast<const uint16_t*>(data)[at];
  if (kind == Float::bf16) {
    uint32_t bits = static_cast<uint32_t>(v) << 16;
    float f;
    std::memcpy(&f, &bits, 4);
    return f;
  }
  int exponent = v >> 10 & 31;
  double size = exponent == 0 ? std::ldexp(v & 0x3ff, -24) : std::ldexp((v & 0x3ff) + 1024, exponent - 25);
  return v & 0x8000 ? -size : size;
}

class Random {
 public:
  explicit Random(uint64_t seed) : generator_(seed) {}
  float normal() { return normal_(generator_); }
  uint8_t byte() { return static_cast<uint8_t>(generator_()); }

 private:
  std::mt19937_64 generator_;
  std::normal_distribution<float> normal_;
};

// Elements at the very end of their memory, so that a sanitizer sees who reads over it.
class Elements {
 public:
  Elements(Float kind, int64_t count, Random& random, float size = 1) : data_(count * (kind == Float::f32 ? 4 : 2)) {
    for (int64_t i = 0; i < count; i++) {
      float v = random.normal() * size;
      if (kind == Float::f32) {
        reinterpret_cast<float*>(data_.data())[i] = v;
      } else {
        reinterpret_cast<uint16_t*>(data_.data())[i] = narrowed(v, kind);
      }
    }
  }
  const void* data() const { return data_.data(); }

 private:
  std::vector<uint8_t> data_;
};

class Weights {
 public:
  Weights(int bits, int group, Float kind, int64_t outputs, int64_t inputs, uint64_t seed)
      : random_(seed), dense_(kind, bits == 0 ? outputs * inputs : 0, random_),
        packed_(outputs * inputs * bits / 8), scales_(kind, bits == 0 ? 0 : outputs * inputs / group, random_, 0.01f),
        biases_(kind, bits == 0 ? 0 : outputs * inputs / group, random_, 0.05f),
        matrix_{nullptr, scales_.data(), biases_.data(), kind, outputs, inputs, group, bits} {
    for (auto& byte : packed_) byte = random_.byte();
    matrix_.data = bits == 0 ? dense_.data() : packed_.data();
  }

  const Matrix& matrix() const { return matrix_; }

  double at(int64_t output, int64_t input) const {
    if (matrix_.bits == 0) return widened(matrix_.data, matrix_.kind, output * matrix_.inputs + input);
    int64_t bit = (output * matrix_.inputs + input) * matrix_.bits;
    int q = 0;
    for (int b = 0; b < matrix_.bits; b++) q |= (packed_[(bit + b) / 8] >> (bit + b) % 8 & 1) << b;
    int64_t group = (output * matrix_.inputs + input) / matrix_.group;
    return widened(matrix_.scales, matrix_.kind, group) * q + widened(matrix_.biases, matrix_.kind, group);
  }

 private:
  Random random_;
  Elements dense_;
  std::vector<uint8_t> packed_;
  Elements scales_;
  Elements biases_;
  Matrix matrix_;
};

// Memory from a line of the cache on.
class Room {
 public:
  // What it holds at first must not matter.
  explicit Room(int64_t floats) : floats_(floats + 16, NAN) {}
  float* data() { return floats_.data() + -reinterpret_cast<uintptr_t>(floats_.data()) % 64 / 4; }

 private:
  std::vector<float> floats_;
};

// Rows as a set multiplies them.
class Laid {
 public:
  Laid(const Kernels& set, const Matrix& w, const std::vector<float>& x, int64_t rows)
      : stride_((std::max(set.laid_out(w), padded(w.inputs)) + 15) / 16 * 16), room_(rows * stride_) {
    std::vector<float> row(padded(w.inputs));
    for (int64_t r = 0; r < rows; r++) {
      std::copy_n(x.data() + r * w.inputs, w.inputs, row.data());
      if (set.layout(w) != 0) {
        set.lay_out(w, row.data(), room_.data() + r * stride_);
      } else {
        std::copy(row.begin(), row.end(), room_.data() + r * stride_);
      }
    }
  }
  const float* row(int64_t r) { return room_.data() + r * stride_; }
  int64_t stride() const { return stride_; }

 private:
  int64_t stride_;
  Room room_;
};

double relative(const std::vector<float>& found, const std::vector<double>& expected) {
  double error = 0;
  double size = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    error += (found[i] - expected[i]) * (found[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return std::sqrt(error / size);
}

double test_product(const Kernels& set, int bits, int group, Float kind, int64_t inputs) {
  int64_t outputs = 21;
  int64_t rows = 70;
  Weights weights(bits, group, kind, outputs, inputs, 1);
  auto& w = weights.matrix();
  Random random(2);
  std::vector<float> x(rows * inputs);
  for (auto& v : x) v = random.normal();
  std::vector<double> expected(rows * outputs);
  std::vector<double> wide(inputs);
  for (int64_t n = 0; n < outputs; n++) {
    for (int64_t i = 0; i < inputs; i++) wide[i] = weights.at(n, i);
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t i = 0; i < inputs; i++) expected[r * outputs + n] += x[r * inputs + i] * wide[i];
    }
  }
  std::string what = std::string(set.name) + " " + std::to_string(bits) + " bits, groups of " + std::to_string(group) + ", " +
      name_of(kind) + ", " + std::to_string(inputs) + " inputs";
  Laid laid(set, w, x, rows);
  Room room(room_for(w));
  std::vector<float> y(rows * outputs);
  set.multiply(w, laid.row(0), laid.stride(), rows, 0, outputs, y.data(), outputs, room.data());
  double error = relative(y, expected);
  // Activations of 16 bits where there are no longer ones: see field_shorts.inc.
  bool shorts = (what.starts_with("avx2 ") || what.starts_with("neondot ")) && kind != Float::f32 && (bits == 2 || bits == 4 || bits == 8);
  expect(error < (shorts ? 4e-5 : 5e-7), what + ": relative error " + std::to_string(error * 1e6) + "e-6");
  for (int64_t many : {1, 2, 3, 4, 7, 8, 33}) {
    for (int64_t begin = 0; begin < outputs; begin += 5) {
      int64_t end = std::min(outputs, begin + 5 + many);
      std::vector<float> again(many * outputs);
      Room fresh(room_for(w));
      set.multiply(w, laid.row(5), laid.stride(), many, begin, end, again.data(), outputs, fresh.data());
      for (int64_t r = 0; r < many; r++) {
        expect(std::memcmp(&again[r * outputs + begin], &y[(5 + r) * outputs + begin], (end - begin) * 4) == 0,
               what + ": other bits among " + std::to_string(many) + " rows");
      }
    }
  }
  std::vector<float> row(padded(inputs) + 16);
  set.unpack(w, outputs - 1, row.data(), room.data());
  std::vector<double> last(inputs);
  for (int64_t i = 0; i < inputs; i++) last[i] = weights.at(outputs - 1, i);
  expect(relative(row, last) < 1e-7, what + ": unpacks a row");
  return error;
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class Work>
double best_of(const Work& work) {
  double best = 1e9;
  for (int i = 0; i < 300; i++) {
    double from = seconds();
    work();
    best = std::min(best, seconds() - from);
  }
  return best;
}

// What one thread does with weights that lie in a cache: the best of many short runs, so that it says something on a busy machine.
void measure(const Kernels& set, int bits, int group, Float kind) {
  int64_t inputs = 1536;
  int64_t outputs = 256;
  int64_t rows = 64;
  Weights weights(bits, group, kind, outputs, inputs, 3);
  auto& w = weights.matrix();
  std::vector<float> x(rows * inputs, 0.5f);
  Laid laid(set, w, x, rows);
  Room room(room_for(w));
  std::vector<float> y(rows * outputs);
  double element = kind == Float::f32 ? 4 : 2;
  double bytes = inputs * (bits == 0 ? element : bits / 8.0 + 2 * element / group); // of an output
  std::printf("%-10s %d bits, groups of %3d, %-4s:", set.name, bits, group, name_of(kind));
  for (int64_t many : {1, 2, 4, 8, 64}) {
    int64_t used = many == 64 ? outputs / 8 : outputs;
    double best = best_of([&] { set.multiply(w, laid.row(0), laid.stride(), many, 0, used, y.data(), outputs, room.data()); });
    std::printf("  %2d rows %6.2f GB/s %5.1f GFLOP/s", static_cast<int>(many), bytes * used / best / 1e9,
                2.0 * many * used * inputs / best / 1e9);
  }
  Room to(laid.stride());
  if (set.layout(w) != 0) std::printf("  laid out in %.2f us", best_of([&] { set.lay_out(w, x.data(), to.data()); }) * 1e6);
  std::printf("\n");
}

} // namespace

int main(int count, char** arguments) {
  bool speed = count > 1 && std::strcmp(arguments[1], "speed") == 0;
  for (auto name : {"portable", "avx2", "avx512", "avx512vnni", "neon", "neondot"}) {
    if (!choose_kernels(name)) continue;
    auto& set = kernels();
    if (count > 2 && std::strcmp(arguments[2], name) != 0) continue;
    if (speed) {
      for (int bits : {2, 3, 4, 5, 6, 8}) measure(set, bits, 64, Float::f16);
      measure(set, 4, 32, Float::f16);
      measure(set, 4, 32, Float::f32);
      for (auto kind : {Float::f32, Float::f16, Float::bf16}) measure(set, 0, 0, kind);
      continue;
    }
    double worst = 0;
    for (auto kind : {Float::f32, Float::f16, Float::bf16}) {
      for (int bits : {2, 3, 4, 5, 6, 8}) {
        for (int group : {32, 64, 128}) {
          for (int64_t groups : {1, 3, 5, 7, 18}) worst = std::max(worst, test_product(set, bits, group, kind, groups * group));
        }
      }
      for (int64_t inputs : {1, 15, 64, 333, 1536}) worst = std::max(worst, test_product(set, 0, 0, kind, inputs));
    }
    std::printf("%s: products with a relative error of at most %.1e\n", name, worst);
  }
  if (failures > 0) std::printf("%d failures\n", failures);
  return failures > 0 ? 1 : 0;
}
