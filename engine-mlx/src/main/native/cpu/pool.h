// The threads that primitives compute on: one pool for the process, asleep when there is nothing to do.
#pragma once

#include <cstdint>
#include <functional>

namespace vm::cpu {

// Calls work(begin, end) for pieces of [0, count) of at least `grain`, on the pool's threads and on
// the caller's, and returns when all are done. Which piece runs where is left open: a piece must
// compute whole results, so that they do not depend on it. Called by one thread at a time (MLX's
// CPU stream); a call from another waits. `work` must not throw.
void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& work);

// How many threads compute, the caller's included. 0 means one for each physical core.
void set_threads(int threads);
int threads();

}  // namespace vm::cpu
