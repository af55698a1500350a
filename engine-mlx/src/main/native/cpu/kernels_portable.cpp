#define LANES 8
#define SET_NAME "portable"
#include "kernels.inc"

namespace vm::cpu {

const Kernels& portable_kernels() { return set; }

}  // namespace vm::cpu
