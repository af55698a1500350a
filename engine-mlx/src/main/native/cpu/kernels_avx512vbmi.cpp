#define LANES 16
#define SET_NAME "avx512vbmi"
#include "kernels.inc"

namespace vm::cpu {

const Kernels& avx512vbmi_kernels() { return set; }

}  // namespace vm::cpu
