// Queries that meet the same keys, a few at a time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels.h"

namespace vm::cpu {

// The kernel keeps one head on the stack.
constexpr int kMostDims = 512;

// Queries of one key head that follow each other in [row, head of the group]: a run of them meets the same keys.
template <class At>
void attend_run(const Attention& a, int64_t begin, int64_t end, const At& query) {
  for (int64_t i = begin; i < end; i += kMostQueries) {
    Query queries[kMostQueries];
    int count = static_cast<int>(std::min<int64_t>(kMostQueries, end - i));
    for (int j = 0; j < count; j++) queries[j] = query(i + j);
    kernels().attend(a, queries, count);
  }
}

} // namespace vm::cpu
