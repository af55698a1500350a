// Memory in pages of 2 MB, where the system has them: weights stream by in each step of a decode, and a page's place is looked
// up as often as there are pages. Best effort throughout: small pages give the same bits.
#pragma once

#include <cstddef>
#include <vector>

namespace vm {

constexpr size_t kLargePage = 2 << 20;

struct Range {
  const char* begin;
  size_t bytes;
};

// Moves what the process has of its own (not a file's pages) to large pages, block by block where ranges cover most of one.
// What lies beside them in a block moves too.
void move_to_large_pages(std::vector<Range> ranges);

// Reads what ranges of a mapped file hold, so that it lies in large pages where it is not cached yet and the file system has
// such, and is there when it is asked for. Takes as long as reading does.
void read_in_large_pages(std::vector<Range> ranges);

} // namespace vm
