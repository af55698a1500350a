// Errors, handles, devices, memory.
#include "runtime.h"

#include <atomic>
#include <cstring>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <mlx/memory.h>
#include <mlx/version.h>

namespace vm {

namespace {

std::atomic<int64_t> live_handles{0};
thread_local char message[4096];

constexpr mx::Dtype dtypes[] = {
    mx::bool_, mx::uint8, mx::uint16, mx::uint32, mx::uint64, mx::int8, mx::int16,
    mx::int32, mx::int64, mx::float16, mx::float32, mx::float64, mx::bfloat16, mx::complex64};

} // namespace

void fail(const char* text) noexcept {
  std::strncpy(message, text, sizeof(message) - 1);
}

Handle wrap(mx::array a) {
  auto handle = new mx::array(std::move(a));
  live_handles.fetch_add(1, std::memory_order_relaxed);
  return handle;
}

mx::Dtype dtype(int32_t code) {
  if (code < 0 || code >= static_cast<int32_t>(std::size(dtypes))) {
    throw std::invalid_argument("unknown element type " + std::to_string(code));
  }
  return dtypes[code];
}

int32_t code(mx::Dtype type) {
  return static_cast<int32_t>(type.val());
}

bool on_cpu() {
  return mx::default_device() == mx::Device::cpu;
}

} // namespace vm

using namespace vm;

VM_EXPORT const char* vm_error() {
  return message;
}

VM_EXPORT const char* vm_version() {
  return mx::version();
}

// 0 is the CPU, 1 the GPU. Device and stream are the calling thread's defaults.
VM_EXPORT int64_t vm_use_device(int64_t gpu) {
  return run([&] {
    mx::Device device(gpu ? mx::Device::gpu : mx::Device::cpu);
    mx::set_default_device(device);
    mx::default_stream(device); // made now, so that a device that does not work says so here
  });
}

VM_EXPORT int64_t vm_has_gpu() {
  try {
    return mx::is_available(mx::Device(mx::Device::gpu)) ? 1 : 0;
  } catch (...) {
    return 0;
  }
}

// Waits for all work of this thread, then ends its streams.
VM_EXPORT int64_t vm_leave_thread() {
  return run([] {
    mx::synchronize();
    mx::clear_streams();
  });
}

VM_EXPORT int64_t vm_free(const Handle* handles, int64_t n) {
  for (int64_t i = 0; i < n; i++) delete handles[i];
  live_handles.fetch_sub(n, std::memory_order_relaxed);
  return 0;
}

VM_EXPORT int64_t vm_live_handles() {
  return live_handles.load(std::memory_order_relaxed);
}

VM_EXPORT int64_t vm_active_memory() {
  return static_cast<int64_t>(mx::get_active_memory());
}

VM_EXPORT int64_t vm_peak_memory() {
  return static_cast<int64_t>(mx::get_peak_memory());
}

VM_EXPORT int64_t vm_cache_memory() {
  return static_cast<int64_t>(mx::get_cache_memory());
}

VM_EXPORT int64_t vm_reset_peak_memory() {
  return run([] { mx::reset_peak_memory(); });
}

VM_EXPORT int64_t vm_set_cache_limit(int64_t bytes) {
  return run([&] { mx::set_cache_limit(static_cast<size_t>(bytes)); });
}

VM_EXPORT int64_t vm_set_memory_limit(int64_t bytes) {
  return run([&] { mx::set_memory_limit(static_cast<size_t>(bytes)); });
}

// What MLX frees lies in the C library's heaps; without trimming them it stays resident.
VM_EXPORT int64_t vm_clear_cache() {
  return run([] {
    mx::clear_cache();
#ifdef __GLIBC__
    malloc_trim(0);
#endif
  });
}
