#include "primitives.h"

#include <atomic>
#include <string>

#include "cpu/kernels.h"
#include "cpu/pool.h"
#include "runtime.h"

namespace vm {
namespace {

std::atomic<bool> wanted{true};

}  // namespace

void use_primitives(bool on) { wanted.store(on); }

bool primitives_wanted() {
  return wanted.load(std::memory_order_relaxed) &&
         mlx::core::default_device() == mlx::core::Device::cpu;
}

}  // namespace vm

using namespace vm;

VM_EXPORT int64_t vm_use_primitives(int64_t on) {
  return run([&] { use_primitives(on != 0); });
}

// 0 means one for each physical core.
VM_EXPORT int64_t vm_set_threads(int64_t threads) {
  return run([&] { cpu::set_threads(threads); });
}

VM_EXPORT int64_t vm_threads() {
  return cpu::threads();
}

// The name of the instruction set whose kernels run.
VM_EXPORT const char* vm_kernels() {
  return cpu::kernels().name;
}

VM_EXPORT int64_t vm_choose_kernels(const char* name) {
  return run([&] {
    if (!cpu::choose_kernels(name)) {
      throw std::invalid_argument("this machine has no kernels named '" + std::string(name) + "'");
    }
  });
}
