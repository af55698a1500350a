// The work of attention to a cache, by addresses: what its primitive does, and a layer of few rows step by step.
#pragma once

#include <optional>

#include "cached_attention.h"
#include "floats.h"

namespace vm::cpu {

// Bytes after a row of int8: the float32 that they are multiplied by.
constexpr int kScaleBytes = 4;

// The data of CachePlaces, all of which is computed. Throws where the pools are not row-major.
struct CacheData {
  explicit CacheData(const CachePlaces& places);

  char* keys;
  char* values;
  Float kind;
  bool packed; // int8
  int64_t element;    // bytes
  int64_t stored;     // elements of a row
  int64_t block_size; // rows of a head
  const int32_t* positions;
  const int32_t* sequences = nullptr;
  const int32_t* tables = nullptr; // null where all is in the one block
  int64_t table_length = 0;
  const float* angles = nullptr;

  const int32_t* table_of(int64_t row) const { return tables == nullptr ? nullptr : tables + sequences[row] * table_length; }
};

struct CachedAttentionTask {
  CachedAttentionSettings settings;
  Rows queries;
  Rows keys;
  Rows values;
  CacheData cache;
  std::optional<Rows> query_norm;
  std::optional<Rows> key_norm;
  void* to;   // [rows, heads * dims]
  Float kind; // of the result

  void operator()() const;

 private:
  void place(float* arranged) const;
  void attend(const float* arranged, float* results) const;
};

} // namespace vm::cpu
