// The work of a product, by addresses: what its primitive does, and a layer of few rows step by step.
#pragma once

#include <optional>
#include <vector>

#include "block.h"
#include "floats.h"
#include "matmul.h"

namespace vm::cpu {

// The norm that rows go through first.
struct RowNorm {
  Rows weight;
  float eps;
};

// A weight that is computed and row-major, as a part of a product whose results go to `out`.
Part part_of(const Weight& weight, void* out);

// Rows through some matrices, and what becomes of the products. Where they are gated, the results go to the first part's `out`.
struct ProductTask {
  Rows x;
  std::optional<RowNorm> norm;
  std::vector<Part> parts;
  Finish finish;
  std::optional<Rows> added;
  Float kind; // of the results

  void operator()();

 private:
  void each(const Block& block, int64_t first, int64_t count);
  void gated(const Block& block, int64_t first, int64_t count);
  void add_rows(int64_t first, int64_t count, int64_t begin, int64_t end, float* y, int64_t ldy) const;
};

} // namespace vm::cpu
