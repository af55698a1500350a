#include "foreign.h"

#include <cstring>
#include <new>

#include <mlx/allocator.h>
#include <sys/mman.h>

#include "runtime.h"

namespace vm {

namespace {

// MLX has no call that makes an array of foreign memory without a copy on a CPU. Its buffers there are a pointer to what
// lies a fixed distance before the data (their size): seen here, not assumed. Negative where buffers are something else.
ptrdiff_t distance_to_data() {
  auto probe = mx::allocator::malloc(64);
  auto buffer = probe.buffer();
  auto distance = static_cast<char*>(buffer.raw_ptr()) - static_cast<char*>(buffer.ptr());
  return distance <= kBeforeForeign ? distance : -1;
}

} // namespace

bool takes_foreign_memory() {
  return on_cpu() && distance_to_data() >= 0;
}

mx::array foreign_array(char* data, mx::Shape shape, mx::Dtype type, std::function<void()> done) {
  mx::allocator::Buffer buffer(data - distance_to_data());
  mx::allocator::Data view(buffer, [done = std::move(done)](mx::allocator::Buffer) { done(); });
  return mx::array(std::move(view), std::move(shape), type);
}

} // namespace vm

using namespace vm;

// Zeros of which the system gives a page when it is first written to: memory for a cache that may never fill up.
VM_EXPORT Handle vm_reserve(const int32_t* shape, int32_t rank, int32_t type) {
  return make([&] {
    mx::Shape wanted(shape, shape + rank);
    auto element = dtype(type);
    size_t bytes = element.size();
    for (auto n : wanted) bytes *= static_cast<size_t>(n);
    if (!takes_foreign_memory() || bytes == 0) return mx::zeros(wanted, element);
    constexpr size_t header = 4096; // a page, of which the end is what lies before the data
    auto all = bytes + header;
    auto room = mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) throw std::bad_alloc();
    auto data = static_cast<char*>(room) + header;
    return foreign_array(data, std::move(wanted), element, [room, all] { munmap(room, all); });
  });
}

// Copies element `from` of the first axis over element `to`, at once and in place. Both arrays are evaluated; whoever shares
// the memory sees it.
VM_EXPORT int32_t vm_copy_in_place(Handle a, int32_t from, int32_t to) {
  return run([&] {
    a->eval();
    if (!a->flags().row_contiguous) throw std::invalid_argument("[copy_in_place] the array must be row-major");
    if (from < 0 || to < 0 || from >= a->shape(0) || to >= a->shape(0)) throw std::out_of_range("[copy_in_place] no such element");
    auto bytes = a->nbytes() / a->shape(0);
    std::memcpy(a->data<char>() + to * bytes, a->data<char>() + from * bytes, bytes);
  });
}
