#define LANES 16
#define SET_NAME "avx512"
#include "kernels.inc"

namespace vm::cpu {

const Kernels& avx512_kernels() { return set; }

}  // namespace vm::cpu
