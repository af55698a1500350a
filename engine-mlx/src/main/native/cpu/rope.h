// Rotary position embedding on a CPU stream.
#pragma once

#include <optional>

#include <mlx/mlx.h>

namespace vm::cpu {

// How the pairs of a head turn with the position: by a base, or by one wavelength for each pair.
struct Rotation {
  int dims;
  bool traditional; // pairs lie side by side, else half of dims apart
  float base;
  float scale;
};

// x [batch, heads, rows, head]; offset of size 1 or [batch], the position of row 0. The result has the layout of x in
// memory, so that transposing it back costs nothing.
mlx::core::array rope(
    const mlx::core::array& x, const Rotation& rotation, const mlx::core::array& offset,
    const std::optional<mlx::core::array>& wavelengths, mlx::core::Stream stream);
bool takes_rope(
    const mlx::core::array& x, const Rotation& rotation, const mlx::core::array& offset,
    const std::optional<mlx::core::array>& wavelengths);

// The cosines of each pair's angle at each position, then the sines: positions [rows] int32 give [rows, dims] float32.
mlx::core::array rope_angles(
    const mlx::core::array& positions, const Rotation& rotation, const std::optional<mlx::core::array>& wavelengths,
    mlx::core::Stream stream);

// Turns a head of `count` elements, of which the first `dims` are rotated, by angles as rope_angles() gives them.
void turn(const float* angles, int64_t dims, bool traditional, float magnitude, int64_t count, float* head);

} // namespace vm::cpu
