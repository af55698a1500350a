#define LANES 8
#define SET_NAME "avx2"
#include "kernels.inc"

namespace vm::cpu {

const Kernels& avx2_kernels() { return set; }

}  // namespace vm::cpu
