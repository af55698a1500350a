#include "pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vm::cpu {
namespace {

int physical_cores() {
  int logical = std::max(1u, std::thread::hardware_concurrency());
#ifdef __linux__
  std::set<std::pair<int, int>> cores;
  for (int cpu = 0; cpu < logical; cpu++) {
    std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    int core = -1;
    int package = -1;
    std::ifstream(topology + "core_id") >> core;
    std::ifstream(topology + "physical_package_id") >> package;
    if (core < 0) {
      return logical;
    }
    cores.insert({package, core});
  }
  return std::max<int>(1, cores.size());
#else
  return logical;
#endif
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// What a round still has to give away, in one word so that a thread takes a piece and knows of which round in one step: the
// round, how many pieces it has, and the next of them.
struct Ticket {
  static constexpr int kBits = 20;
  static constexpr uint64_t kMask = (uint64_t{1} << kBits) - 1;

  static uint64_t of(uint64_t round, uint64_t pieces) { return round << (2 * kBits) | pieces << kBits; }

  uint64_t word;

  int64_t piece() const { return word & kMask; }
  int64_t pieces() const { return word >> kBits & kMask; }
  bool valid() const { return piece() < pieces(); }
};

class Pool {
 public:
  ~Pool() { stop(); }

  void resize(int wanted) {
    std::lock_guard<std::mutex> one_caller(callers_);
    stop();
    size_ = wanted > 0 ? wanted : physical_cores();
  }

  int size() {
    std::lock_guard<std::mutex> one_caller(callers_);
    return size_;
  }

  void run(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& work) {
    std::lock_guard<std::mutex> one_caller(callers_);
    if (count <= 0) {
      return;
    }
    if (size_ == 1 || count <= grain) {
      work(0, count);
      return;
    }
    start();
    // A large piece for each thread, so that it reads on where it is and what it fetches ahead is its own; then small ones, which
    // even out what the machine does beside. All but the last are whole grains.
    large_ = std::max<int64_t>(count * kLarge / (100 * size_) / grain, 1) * grain;
    large_ones_ = std::min<int64_t>(size_, count / large_);
    int64_t rest = count - large_ones_ * large_;
    small_ = std::max<int64_t>(pieces_of(rest, size_ * kSmall * grain), 1) * grain;
    count_ = count;
    work_ = &work;
    done_.store(0, std::memory_order_relaxed);
    int64_t pieces = large_ones_ + pieces_of(rest, small_);
    // In one order with the sleepers' own look: either they see the round, or it sees them.
    ticket_.store(Ticket::of(++round_, pieces), std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst) > 0) {
      std::lock_guard<std::mutex> lock(mutex_);
      wake_.notify_all();
    }
    take_pieces();
    // The others are in their last pieces. One that lost its core to another program gets it back sooner if this one is free.
    for (int spin = 0; done_.load(std::memory_order_acquire) != pieces; spin++) {
      spin < kSpins ? pause() : std::this_thread::yield();
    }
  }

 private:
  // What a thread's large piece has of its share, in percent, and the small ones for each thread.
  static constexpr int kLarge = 85;
  static constexpr int kSmall = 3;

  static int64_t pieces_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

  void start() {
    while (static_cast<int>(workers_.size()) < size_ - 1) {
      workers_.emplace_back([this] { serve(); });
    }
  }

  void stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ending_.store(true);
    }
    wake_.notify_all();
    for (auto& worker : workers_) {
      worker.join();
    }
    workers_.clear();
    ending_.store(false);
  }

  bool idle() const { return !Ticket{ticket_.load(std::memory_order_seq_cst)}.valid() && !ending_.load(); }

  void serve() {
    while (!ending_.load()) {
      // A decode step is hundreds of calls microseconds apart: going to sleep between them would cost more than they do.
      // After some 100 us without work the thread sleeps.
      for (int spin = 0; spin < kSpins && idle(); spin++) pause();
      if (idle()) {
        std::unique_lock<std::mutex> lock(mutex_);
        sleeping_.fetch_add(1, std::memory_order_seq_cst);
        wake_.wait(lock, [this] { return !idle(); });
        sleeping_.fetch_sub(1, std::memory_order_seq_cst);
      }
      take_pieces();
    }
  }

  void take_pieces() {
    while (Ticket{ticket_.load(std::memory_order_relaxed)}.valid()) {
      Ticket mine{ticket_.fetch_add(1, std::memory_order_acq_rel)};
      if (!mine.valid()) {
        return;
      }
      // The round cannot end before this piece is done, so what it is about stays.
      int64_t piece = mine.piece();
      bool large = piece < large_ones_;
      int64_t begin = large ? piece * large_ : large_ones_ * large_ + (piece - large_ones_) * small_;
      (*work_)(begin, large ? begin + large_ : std::min(count_, begin + small_));
      done_.fetch_add(1, std::memory_order_release);
    }
  }

  static constexpr int kSpins = 3000;

  std::mutex callers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<int64_t> done_{0};
  alignas(64) std::atomic<int> sleeping_{0};
  std::atomic<bool> ending_{false};
  uint64_t round_ = 0;
  int64_t large_ = 0; // how long such a piece is
  int64_t large_ones_ = 0;
  int64_t small_ = 0;
  int64_t count_ = 0;
  const std::function<void(int64_t, int64_t)>* work_ = nullptr;
  int size_ = physical_cores();
};

// Never destroyed: at the process's end MLX's stream threads may still be on their way out.
Pool& pool() {
  static Pool* the = new Pool();
  return *the;
}

}  // namespace

void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& work) {
  pool().run(count, grain, work);
}

void set_threads(int threads) { pool().resize(threads); }

int threads() { return pool().size(); }

}  // namespace vm::cpu
