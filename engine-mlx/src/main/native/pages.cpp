#include "pages.h"

#include <algorithm>
#include <cstdint>

#include <sys/mman.h>
#include <unistd.h>

#include "runtime.h"

#if defined(__linux__) && !defined(MADV_COLLAPSE)
#define MADV_COLLAPSE 25 // Linux 6.1
#endif

namespace vm {
namespace {

// The large pages of which ranges cover most.
std::vector<char*> covered(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
  std::vector<char*> pages;
  uintptr_t page = 0;
  size_t bytes = 0;
  auto close = [&] {
    if (bytes >= kLargePage / 2) pages.push_back(reinterpret_cast<char*>(page));
    bytes = 0;
  };
  for (auto& range : ranges) {
    auto at = reinterpret_cast<uintptr_t>(range.begin);
    for (auto end = at + range.bytes; at < end;) {
      auto own = at / kLargePage * kLargePage;
      if (own != page) close();
      page = own;
      auto upto = std::min(end, own + kLargePage);
      bytes += upto - at;
      at = upto;
    }
  }
  close();
  return pages;
}

} // namespace

void move_to_large_pages(std::vector<Range> ranges) {
#ifdef __linux__
  for (auto page : covered(std::move(ranges))) madvise(page, kLargePage, MADV_COLLAPSE);
#endif
}

void read_in_large_pages(std::vector<Range> ranges) {
  for (auto page : covered(ranges)) static_cast<void>(*static_cast<volatile char*>(page));
  auto small = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (auto& range : ranges) { // what is not there yet
    auto skipped = reinterpret_cast<uintptr_t>(range.begin) % small;
    madvise(const_cast<char*>(range.begin) - skipped, range.bytes + skipped, MADV_WILLNEED);
  }
}

} // namespace vm

using namespace vm;

// Evaluated arrays, which stay what they are and where they are.
VM_EXPORT int64_t vm_use_large_pages(const Handle* handles, int64_t n) {
  return run([&] {
    std::vector<Range> ranges;
    for (auto& a : arrays(handles, n)) ranges.push_back({a.data<char>(), a.data_size() * a.itemsize()});
    move_to_large_pages(std::move(ranges));
  });
}
