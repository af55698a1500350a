#define LANES 4
#define SET_NAME "neon"
#include "kernels.inc"

namespace vm::cpu {

const Kernels& neon_kernels() { return set; }

}  // namespace vm::cpu
