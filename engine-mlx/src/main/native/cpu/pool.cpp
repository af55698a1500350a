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
    // Four pieces for each thread even out what the machine does beside.
    piece_ = std::max<int64_t>(grain, (count + size_ * 4 - 1) / (size_ * 4));
    count_ = count;
    work_ = &work;
    next_.store(0);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      busy_ = static_cast<int>(workers_.size());
      round_.fetch_add(1);
    }
    wake_.notify_all();
    take_pieces();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  void start() {
    while (static_cast<int>(workers_.size()) < size_ - 1) {
      workers_.emplace_back([this, seen = round_.load()]() mutable { serve(seen); });
    }
  }

  void stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) {
      worker.join();
    }
    workers_.clear();
    ending_ = false;
  }

  void serve(uint64_t seen) {
    while (true) {
      // A decode step is hundreds of calls microseconds apart: going to sleep between them would
      // cost more than they do. After some 50 us without work the thread sleeps.
      for (int spin = 0; spin < 2000 && round_.load(std::memory_order_acquire) == seen; spin++) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
      }
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return ending_ || round_.load() != seen; });
        if (ending_) {
          return;
        }
        seen = round_.load();
      }
      take_pieces();
      std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) {
        done_.notify_one();
      }
    }
  }

  void take_pieces() {
    for (int64_t begin = next_.fetch_add(piece_); begin < count_; begin = next_.fetch_add(piece_)) {
      (*work_)(begin, std::min(count_, begin + piece_));
    }
  }

  std::mutex callers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::vector<std::thread> workers_;
  std::atomic<uint64_t> round_{0};
  std::atomic<int64_t> next_{0};
  int64_t piece_ = 0;
  int64_t count_ = 0;
  const std::function<void(int64_t, int64_t)>* work_ = nullptr;
  int busy_ = 0;
  bool ending_ = false;
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
