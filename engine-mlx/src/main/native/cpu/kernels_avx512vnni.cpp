#define LANES 16
#define SET_NAME "avx512vnni"
#include "kernels.inc"

namespace vm::cpu {

const Kernels& avx512vnni_kernels() { return set; }

}  // namespace vm::cpu
