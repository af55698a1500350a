#define LANES 4
#define SET_NAME "neondot"
#include "kernels.inc"

namespace vm::cpu {

const Kernels& neondot_kernels() { return set; }

}  // namespace vm::cpu
