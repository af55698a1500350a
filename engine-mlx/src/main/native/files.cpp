// Reading and writing .safetensors and .gguf files.
#include "foreign.h"
#include "pages.h"
#include "runtime.h"

#include <algorithm>
#include <string>
#include <thread>
#include <unordered_map>

#include <fcntl.h>
#include <mlx/io.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace vm;

namespace {

// Texts laid end to end, so that Java fetches all in one call.
struct Packed {
  std::string bytes;
  std::vector<int64_t> ends;
};

struct File {
  std::vector<std::pair<std::string, mx::array>> arrays;
  std::vector<std::pair<std::string, std::string>> metadata; // none of a GGUF file, which Java reads itself
  Packed packed;
};

template <class Pairs>
void sort_by_name(Pairs& pairs) {
  std::sort(pairs.begin(), pairs.end(), [](auto& a, auto& b) { return a.first < b.first; });
}

File* file_of(
    const std::unordered_map<std::string, mx::array>& arrays,
    const std::unordered_map<std::string, std::string>& metadata = {}) {
  auto file = std::make_unique<File>();
  file->arrays.assign(arrays.begin(), arrays.end());
  file->metadata.assign(metadata.begin(), metadata.end());
  sort_by_name(file->arrays);
  sort_by_name(file->metadata);
  return file.release();
}

void give(File* file, int64_t* out) {
  out[0] = reinterpret_cast<int64_t>(file->packed.bytes.data());
  out[1] = reinterpret_cast<int64_t>(file->packed.ends.data());
  out[2] = static_cast<int64_t>(file->packed.ends.size());
}

void pack(Packed& to, const std::string& text) {
  to.bytes += text;
  to.ends.push_back(static_cast<int64_t>(to.bytes.size()));
}

// A file's pages. Private: whoever writes to an array over them changes a copy of the page and not the file.
class Mapping {
 public:
  explicit Mapping(const char* path) {
    auto file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) throw std::runtime_error("cannot open " + std::string(path));
    struct stat status;
    auto mapped = MAP_FAILED;
    if (fstat(file, &status) == 0 && status.st_size > 0) {
      size_ = static_cast<size_t>(status.st_size);
      mapped = map_aligned(file);
    }
    close(file);
    if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + std::string(path));
    begin_ = static_cast<char*>(mapped);
#ifdef __linux__
    // What is not cached yet is read in large pages then, if the file system has them.
    madvise(begin_, size_, MADV_HUGEPAGE);
#endif
  }

  ~Mapping() {
    munmap(begin_, round_up(size_));
  }

  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // The bytes from `offset` on, or null where the file has not so many or they are not aligned.
  char* at(int64_t offset, size_t bytes, size_t alignment) const {
    auto from = static_cast<size_t>(offset);
    auto fits = offset >= 0 && from <= size_ && bytes <= size_ - from;
    return fits && from % alignment == 0 ? begin_ + from : nullptr;
  }

 private:
  // From where a large page can begin: in room for it and a page more, of which the ends are given back.
  void* map_aligned(int file) const {
    auto all = round_up(size_) + kLargePage;
    auto room = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return room;
    auto begin = static_cast<char*>(room);
    auto end = begin + all;
    auto from = reinterpret_cast<char*>(round_up(reinterpret_cast<uintptr_t>(begin)));
    auto to = from + round_up(size_);
    if (from > begin) munmap(begin, from - begin);
    if (to < end) munmap(to, end - to);
    auto mapped = mmap(from, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0);
    if (mapped == MAP_FAILED) munmap(from, to - from);
    return mapped;
  }

  static size_t round_up(size_t bytes) { return (bytes + kLargePage - 1) / kLargePage * kLargePage; }

  char* begin_ = nullptr;
  size_t size_ = 0;
};

} // namespace

// The data stays in the file until an array is evaluated.
VM_EXPORT File* vm_open_safetensors(const char* path) {
  File* file = nullptr;
  run([&] {
    auto [arrays, metadata] = mx::load_safetensors(std::string(path));
    file = file_of(arrays, metadata);
  });
  return file;
}

VM_EXPORT File* vm_open_gguf(const char* path) {
  File* file = nullptr;
  run([&] { file = file_of(mx::load_gguf(std::string(path)).first); });
  return file;
}

// Replaces arrays by such over the file's pages, which the system reads when they are used and may drop again. offsets: of
// each array's bytes in the file, by the order of names. An array that cannot be had so stays as it is. Does nothing on a
// GPU, which has memory of its own kind.
VM_EXPORT int64_t vm_file_map(File* file, const char* path, const int64_t* offsets) {
  return run([&] {
    if (!takes_foreign_memory()) return;
    auto mapping = std::make_shared<Mapping>(path);
    std::vector<Range> mapped;
    for (size_t i = 0; i < file->arrays.size(); i++) {
      auto& array = file->arrays[i].second;
      // What lies before the data is read as part of a buffer: it has to be there.
      auto data = offsets[i] < kBeforeForeign ? nullptr : mapping->at(offsets[i], array.nbytes(), array.itemsize());
      if (!data || array.size() == 0) continue;
      mapped.push_back({data, array.nbytes()});
      array = foreign_array(data, array.shape(), array.dtype(), [mapping] {});
    }
    std::thread([mapping, mapped] { read_in_large_pages(mapped); }).detach(); // nobody waits for it
  });
}

// Texts go to out as: address of the bytes, address of the end offsets, count. They live until the next call on the file.
VM_EXPORT int64_t vm_file_array_names(File* file, int64_t* out) {
  return run([&] {
    file->packed = {};
    for (auto& entry : file->arrays) pack(file->packed, entry.first);
    give(file, out);
  });
}

VM_EXPORT Handle vm_file_array(File* file, int64_t index) {
  return make([&] { return file->arrays.at(index).second; });
}

// Name, value, name, value ...
VM_EXPORT int64_t vm_file_metadata(File* file, int64_t* out) {
  return run([&] {
    file->packed = {};
    for (auto& [name, value] : file->metadata) {
      pack(file->packed, name);
      pack(file->packed, value);
    }
    give(file, out);
  });
}

VM_EXPORT int64_t vm_file_close(File* file) {
  delete file;
  return 0;
}

// names and metadata: texts ended by a zero byte, one after the other (metadata: name, value, name, value ...).
VM_EXPORT int64_t vm_save_safetensors(
    const char* path, const Handle* handles, const char* names, int64_t n, const char* metadata, int64_t pairs) {
  return run([&] {
    auto next = [](const char*& at) {
      std::string text(at);
      at += text.size() + 1;
      return text;
    };
    std::unordered_map<std::string, mx::array> arrays;
    for (int32_t i = 0; i < n; i++) arrays.insert({next(names), *handles[i]});
    std::unordered_map<std::string, std::string> meta;
    for (int32_t i = 0; i < pairs; i++) {
      auto name = next(metadata);
      meta[name] = next(metadata);
    }
    mx::save_safetensors(path, std::move(arrays), std::move(meta));
  });
}

VM_EXPORT int64_t vm_save_gguf(const char* path, const Handle* handles, const char* names, int64_t n) {
  return run([&] {
    std::unordered_map<std::string, mx::array> arrays;
    for (int32_t i = 0; i < n; i++) {
      std::string name(names);
      names += name.size() + 1;
      arrays.insert({std::move(name), *handles[i]});
    }
    mx::save_gguf(path, std::move(arrays));
  });
}
