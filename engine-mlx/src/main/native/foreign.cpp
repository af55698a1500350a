#include "foreign.h"

#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include <mlx/allocator.h>
#include <sys/mman.h>

#include "primitives.h"
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

namespace {

// From here on malloc() asks the system each time: the most that its threshold grows to.
constexpr size_t kFreshFromSystem = 32 << 20;

} // namespace

// Room whose contents do not matter, of which the system gives a page when it is first written to: memory for a cache that
// may never fill up.
VM_EXPORT Handle vm_reserve(const int32_t* shape, int64_t rank, int64_t type) {
  return make([&] {
    mx::Shape wanted(shape, shape + rank);
    auto element = dtype(type);
    size_t bytes = element.size();
    for (auto n : wanted) bytes *= static_cast<size_t>(n);
    if (!takes_foreign_memory() || bytes == 0) return mx::zeros(wanted, element);
    if (!primitives_wanted()) {
      // MLX's ops write in place to memory of its own allocator alone; of other memory they would make a copy, all of it. What
      // is large comes fresh from the system, too.
      if (bytes < kFreshFromSystem) return mx::zeros(wanted, element);
      return mx::array(mx::allocator::malloc(bytes), std::move(wanted), element);
    }
    constexpr size_t header = 4096; // a page, of which the end is what lies before the data
    auto all = bytes + header;
    auto room = mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) throw std::bad_alloc();
    auto data = static_cast<char*>(room) + header;
    return foreign_array(data, std::move(wanted), element, [room, all] { munmap(room, all); });
  });
}

namespace {

struct Element {
  char* data;
  size_t bytes;
};

// Element `at` of the first axis of an evaluated, row-major array.
Element element(mx::array& a, int32_t at, const char* who) {
  a.eval();
  if (!a.flags().row_contiguous) throw std::invalid_argument(std::string("[") + who + "] the array must be row-major");
  if (at < 0 || at >= a.shape(0)) throw std::out_of_range(std::string("[") + who + "] no such element");
  auto bytes = a.nbytes() / a.shape(0);
  return {a.data<char>() + at * bytes, bytes};
}

} // namespace

// Copies element `from` of the first axis over element `to`, at once and in place. Both arrays are evaluated; whoever shares
// the memory sees it.
VM_EXPORT int64_t vm_copy_in_place(Handle a, int64_t from, int64_t to) {
  return run([&] {
    auto source = element(*a, from, "copy_in_place");
    std::memcpy(element(*a, to, "copy_in_place").data, source.data, source.bytes);
  });
}

// Copies element `at` of the first axis to memory of the caller's, which has room for it.
VM_EXPORT int64_t vm_copy_out(Handle a, int64_t at, void* to) {
  return run([&] {
    auto source = element(*a, at, "copy_out");
    std::memcpy(to, source.data, source.bytes);
  });
}

// The other way round, in place: whoever shares the array's memory sees it.
VM_EXPORT int64_t vm_copy_in(Handle a, int64_t at, const void* from) {
  return run([&] {
    auto target = element(*a, at, "copy_in");
    std::memcpy(target.data, from, target.bytes);
  });
}
