// Chooses the kernel set of this machine.
#include <atomic>
#include <cstring>

#if defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "kernels.h"

namespace vm::cpu {
namespace {

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
#else
  return false;
#endif
}

bool has_avx512() {
#if defined(__x86_64__)
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

bool has_avx512vnni() {
#if defined(__x86_64__)
  return has_avx512() && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

#if defined(__aarch64__)
bool has_dot_products() {
#if defined(__APPLE__)
  int has = 0;
  size_t size = sizeof has;
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &size, nullptr, 0) == 0 && has != 0;
#elif defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return false;
#endif
}
#endif

const Kernels* named(const char* name) {
  bool any = std::strcmp(name, "auto") == 0;
#if defined(__x86_64__)
  if (has_avx512vnni() && (any || std::strcmp(name, "avx512vnni") == 0)) {
    return &avx512vnni_kernels();
  }
  if (has_avx512() && (any || std::strcmp(name, "avx512") == 0)) {
    return &avx512_kernels();
  }
  if (has_avx2() && (any || std::strcmp(name, "avx2") == 0)) {
    return &avx2_kernels();
  }
#elif defined(__aarch64__)
  if (has_dot_products() && (any || std::strcmp(name, "neondot") == 0)) {
    return &neondot_kernels();
  }
  if (any || std::strcmp(name, "neon") == 0) { // every processor of 64 bits has it
    return &neon_kernels();
  }
#endif
  return any || std::strcmp(name, "portable") == 0 ? &portable_kernels() : nullptr;
}

std::atomic<const Kernels*> chosen{nullptr};

}  // namespace

const Kernels& kernels() {
  auto set = chosen.load();
  if (set == nullptr) {
    set = named("auto");
    chosen.store(set);
  }
  return *set;
}

bool choose_kernels(const char* name) {
  auto set = named(name);
  if (set != nullptr) {
    chosen.store(set);
  }
  return set != nullptr;
}

}  // namespace vm::cpu
