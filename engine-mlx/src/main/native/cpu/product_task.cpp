#include "product_task.h"

#include <algorithm>
#include <memory>

#include "pool.h"

namespace vm::cpu {

Part part_of(const Weight& weight, void* out) {
  auto& w = weight.w;
  Part part{{w.data<void>(), nullptr, nullptr, kind_of(w.dtype()), w.shape(0), w.shape(1), weight.group, weight.bits},
            nullptr, Float::f32, out, {}};
  if (weight.bits != 0) {
    part.w.scales = weight.scales->data<void>();
    part.w.biases = weight.biases->data<void>();
    part.w.kind = kind_of(weight.scales->dtype());
    part.w.inputs = static_cast<int64_t>(w.shape(1)) * 32 / weight.bits;
  }
  if (weight.bias) {
    part.bias = weight.bias->data<void>();
    part.bias_kind = kind_of(weight.bias->dtype());
  }
  return part;
}

void ProductTask::operator()() {
  std::vector<float> room;
  const float* factors = norm ? norm->weight.floats(0, room) : nullptr;
  Block block(x, parts);
  for (auto& part : parts) part.bias_floats(); // by this thread, before the others look
  for (int64_t first = 0; first < x.rows(); first += kRowsAtOnce) {
    int64_t count = std::min(kRowsAtOnce, x.rows() - first);
    block.prepare(count, [&](int64_t r) { return first + r; }, factors, norm ? norm->eps : 0, norm.has_value());
    gates(finish) ? gated(block, first, count) : each(block, first, count);
  }
}

// Each part to its own array, all in one go over the threads.
void ProductTask::each(const Block& block, int64_t first, int64_t count) {
  int64_t total = 0;
  for (auto& part : parts) total += part.w.outputs;
  std::unique_ptr<float[]> results(kind == Float::f32 ? nullptr : new float[count * total]);
  parallel_for(total, kGrain, [&](int64_t begin, int64_t end) {
    int64_t from = 0; // of the part
    for (auto& part : parts) {
      int64_t outputs = part.w.outputs;
      int64_t low = std::max(begin - from, int64_t{0});
      int64_t high = std::min(end - from, outputs);
      if (low < high) {
        float* y = results ? results.get() + count * from : static_cast<float*>(part.out) + first * outputs;
        block.multiply(part, low, high, y, outputs);
        if (added) add_rows(first, count, low, high, y, outputs);
      }
      from += outputs;
    }
  });
  int64_t from = 0;
  for (auto& part : parts) {
    if (results) {
      write_floats(results.get() + count * from, count * part.w.outputs, kind, first * part.w.outputs, part.out);
    }
    from += part.w.outputs;
  }
}

void ProductTask::add_rows(int64_t first, int64_t count, int64_t begin, int64_t end, float* y, int64_t ldy) const {
  std::vector<float> room;
  for (int64_t r = 0; r < count; r++) {
    add(added->floats(first + r, room) + begin, end - begin, y + r * ldy + begin);
  }
}

// activation(first part) * second part.
void ProductTask::gated(const Block& block, int64_t first, int64_t count) {
  auto activation = finish == Finish::swiglu ? Activation::silu : Activation::gelu;
  int64_t outputs = parts[0].w.outputs;
  std::unique_ptr<float[]> results(kind == Float::f32 ? nullptr : new float[count * outputs]);
  float* y = results ? results.get() : static_cast<float*>(parts[0].out) + first * outputs;
  parallel_for(outputs, kGrain, [&](int64_t begin, int64_t end) {
    int64_t width = end - begin;
    thread_local std::vector<float> up;
    up.resize(count * width);
    block.multiply(parts[0], begin, end, y, outputs);
    block.multiply(parts[1], begin, end, up.data() - begin, width);
    for (int64_t r = 0; r < count; r++) {
      float* gate = y + r * outputs + begin;
      kernels().gate(activation, gate, up.data() + r * width, width, gate);
    }
  });
  if (results) write_floats(results.get(), count * outputs, kind, first * outputs, parts[0].out);
}

} // namespace vm::cpu
