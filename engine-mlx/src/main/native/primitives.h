// Whether ops go to this project's own CPU primitives or to MLX's.
#pragma once

#include <mlx/mlx.h>

namespace vm {

// On from the start. Off is for comparing, and for tests that want MLX's own numbers.
void use_primitives(bool on);

// Whether an op on the default stream should take a primitive of ours.
bool primitives_wanted();

}  // namespace vm
