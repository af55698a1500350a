// Reading and writing .safetensors and .gguf files.
#include "foreign.h"
#include "runtime.h"

#include <algorithm>
#include <string>

#include <fcntl.h>
#include <mlx/io.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace vm;

namespace {

using Metadata = mx::GGUFMetaData;

// Texts laid end to end, so that Java fetches a vocabulary in one call.
struct Packed {
  std::string bytes;
  std::vector<int64_t> ends;
};

struct File {
  std::vector<std::pair<std::string, mx::array>> arrays;
  std::vector<std::pair<std::string, Metadata>> metadata;
  Packed packed;
};

template <class Pairs>
void sort_by_name(Pairs& pairs) {
  std::sort(pairs.begin(), pairs.end(), [](auto& a, auto& b) { return a.first < b.first; });
}

template <class Loaded>
File* file_of(Loaded&& loaded) {
  auto file = std::make_unique<File>();
  for (auto& [name, array] : loaded.first) file->arrays.emplace_back(name, array);
  for (auto& [name, value] : loaded.second) file->metadata.emplace_back(name, Metadata(value));
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
      mapped = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    }
    close(file);
    if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + std::string(path));
    begin_ = static_cast<char*>(mapped);
    madvise(begin_, size_, MADV_WILLNEED); // reading starts now, and nobody waits for it
  }

  ~Mapping() {
    munmap(begin_, size_);
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
  char* begin_ = nullptr;
  size_t size_ = 0;
};

} // namespace

// The data stays in the file until an array is evaluated.
VM_EXPORT File* vm_open_safetensors(const char* path) {
  File* file = nullptr;
  run([&] { file = file_of(mx::load_safetensors(std::string(path))); });
  return file;
}

VM_EXPORT File* vm_open_gguf(const char* path) {
  File* file = nullptr;
  run([&] { file = file_of(mx::load_gguf(std::string(path))); });
  return file;
}

// Replaces arrays by such over the file's pages, which the system reads when they are used and may drop again. offsets: of
// each array's bytes in the file, by the order of names. An array that cannot be had so stays as it is. Does nothing on a
// GPU, which has memory of its own kind.
VM_EXPORT int32_t vm_file_map(File* file, const char* path, const int64_t* offsets) {
  return run([&] {
    if (!takes_foreign_memory()) return;
    auto mapping = std::make_shared<Mapping>(path);
    for (size_t i = 0; i < file->arrays.size(); i++) {
      auto& array = file->arrays[i].second;
      // What lies before the data is read as part of a buffer: it has to be there.
      auto data = offsets[i] < kBeforeForeign ? nullptr : mapping->at(offsets[i], array.nbytes(), array.itemsize());
      if (!data || array.size() == 0) continue;
      array = foreign_array(data, array.shape(), array.dtype(), [mapping] {});
    }
  });
}

// Texts go to out as: address of the bytes, address of the end offsets, count. They live until the next call on the file.
VM_EXPORT int32_t vm_file_array_names(File* file, int64_t* out) {
  return run([&] {
    file->packed = {};
    for (auto& entry : file->arrays) pack(file->packed, entry.first);
    give(file, out);
  });
}

VM_EXPORT Handle vm_file_array(File* file, int32_t index) {
  return make([&] { return file->arrays.at(index).second; });
}

VM_EXPORT int32_t vm_file_metadata_names(File* file, int64_t* out) {
  return run([&] {
    file->packed = {};
    for (auto& entry : file->metadata) pack(file->packed, entry.first);
    give(file, out);
  });
}

// 0 nothing, 1 an array, 2 a text, 3 texts
VM_EXPORT int32_t vm_file_metadata_kind(File* file, int32_t index) {
  return static_cast<int32_t>(file->metadata[index].second.index());
}

VM_EXPORT Handle vm_file_metadata_array(File* file, int32_t index) {
  return make([&] { return std::get<mx::array>(file->metadata.at(index).second); });
}

VM_EXPORT int32_t vm_file_metadata_texts(File* file, int32_t index, int64_t* out) {
  return run([&] {
    file->packed = {};
    auto& value = file->metadata.at(index).second;
    if (auto text = std::get_if<std::string>(&value)) {
      pack(file->packed, *text);
    } else {
      for (auto& text : std::get<std::vector<std::string>>(value)) pack(file->packed, text);
    }
    give(file, out);
  });
}

VM_EXPORT void vm_file_close(File* file) {
  delete file;
}

// names and metadata: texts ended by a zero byte, one after the other (metadata: name, value, name, value ...).
VM_EXPORT int32_t vm_save_safetensors(
    const char* path, const Handle* handles, const char* names, int32_t n, const char* metadata, int32_t pairs) {
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

VM_EXPORT int32_t vm_save_gguf(const char* path, const Handle* handles, const char* names, int32_t n) {
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
