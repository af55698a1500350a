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

// Where keys and values are, and where the rows stand.
struct CachePlaces {
  // [blocks, kv_heads, block size, dims], or int8 with dims + 4: each row is followed by the float32 that it is multiplied by
  mlx::core::array key_pool;
  mlx::core::array value_pool;
  mlx::core::array positions; // [rows] int32
  std::optional<mlx::core::array> sequences; // [rows] int32: which row of `tables`; rows of a sequence are neighbours
  std::optional<mlx::core::array> tables; // [sequences, blocks of each] int32; without them all is in the one block
  std::optional<mlx::core::array> angles; // [rows, turned] float32, as rope_angles() gives them
};

struct CachedAttentionInputs {
  mlx::core::array queries; // [rows, heads * dims], neither normed nor rotated
  mlx::core::array keys;    // [rows, kv_heads * dims], neither normed nor rotated
  mlx::core::array values;  // [rows, kv_heads * dims]
  CachePlaces places;
  std::optional<mlx::core::array> query_norm; // [dims]
  std::optional<mlx::core::array> key_norm;
};

// Norms and rotates queries and keys, writes keys and values to the pools, each at its position, and attends to what the
// pools hold of the row's sequence up to its position. Gives [rows, heads * dims] and the pools, which are written IN PLACE:
// what they were before is lost when the result is computed.
std::vector<mlx::core::array> cached_attention(
    const CachedAttentionInputs& inputs, const CachedAttentionSettings& settings, mlx::core::Stream stream);
bool takes_cached_attention(const CachedAttentionInputs& inputs, const CachedAttentionSettings& settings);
bool takes_places(const CachePlaces& places, const CachedAttentionSettings& settings);

} // namespace vm::cpu
