// Attention to a cache of keys and values, which the rows' own are written to first, on a CPU stream.
#pragma once

#include <optional>
#include <vector>

#include <mlx/mlx.h>

namespace vm::cpu {

struct CachedAttentionSettings {
  int heads;
  int kv_heads;
  int dims;
  float scale;
  int window; // tokens that a row sees, its own included; 0 for all
  int turned; // of dims, how many are rotated; 0 for none
  bool traditional;
  float magnitude; // by which what is rotated is multiplied
  std::optional<float> query_eps; // where queries are normed
  std::optional<float> key_eps;
};

// Where keys and values are, and where the rows stand. Of arrays that another keeps.
struct CachePlaces {
  // [blocks, kv_heads, block size, dims], or int8 with dims + 4: each row is followed by the float32 that it is multiplied by
  const mlx::core::array& key_pool;
  const mlx::core::array& value_pool;
  const mlx::core::array& positions; // [rows] int32
  const mlx::core::array* sequences = nullptr; // [rows] int32: which row of `tables`; rows of a sequence are neighbours
  const mlx::core::array* tables = nullptr; // [sequences, blocks of each] int32; without them all is in the one block
  const mlx::core::array* angles = nullptr; // [rows, turned] float32, as rope_angles() gives them
};

struct CachedAttentionInputs {
  mlx::core::array queries; // [rows, heads * dims], neither normed nor rotated
  mlx::core::array keys;    // [rows, kv_heads * dims], neither normed nor rotated
  mlx::core::array values;  // [rows, kv_heads * dims]
  CachePlaces places;
  const mlx::core::array* query_norm = nullptr; // [dims]
  const mlx::core::array* key_norm = nullptr;
};

// Norms and rotates queries and keys, writes keys and values to the pools, each at its position, and attends to what the
// pools hold of the row's sequence up to its position. Gives [rows, heads * dims] and the pools, which are written IN PLACE:
// what they were before is lost when the result is computed.
std::vector<mlx::core::array> cached_attention(
    const CachedAttentionInputs& inputs, const CachedAttentionSettings& settings, mlx::core::Stream stream);
bool takes_cached_attention(const CachedAttentionInputs& inputs, const CachedAttentionSettings& settings);
bool takes_places(const CachePlaces& places, const CachedAttentionSettings& settings);

} // namespace vm::cpu
