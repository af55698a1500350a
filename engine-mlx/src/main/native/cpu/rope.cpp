#include "rope.h"

#include <cmath>
#include <vector>

#include "floats.h"
#include "pool.h"
#include "primitive.h"

namespace vm::cpu {
namespace {

namespace mx = mlx::core;

// Radians that each pair turns by from one position to the next.
std::vector<double> turns(const Rotation& rotation, const float* wavelengths) {
  std::vector<double> speeds(rotation.dims / 2);
  for (size_t i = 0; i < speeds.size(); i++) {
    double wavelength = wavelengths != nullptr
        ? wavelengths[i]
        : std::pow(static_cast<double>(rotation.base), 2.0 * static_cast<double>(i) / rotation.dims);
    speeds[i] = rotation.scale / wavelength;
  }
  return speeds;
}

void turn_row(
    const Rotation& rotation, const std::vector<float>& cosines, const std::vector<float>& sines, const float* in,
    int64_t count, float* out) {
  int64_t pairs = static_cast<int64_t>(cosines.size());
  int64_t step = rotation.traditional ? 2 : 1;
  int64_t apart = rotation.traditional ? 1 : pairs;
  for (int64_t i = 0; i < pairs; i++) {
    float a = in[i * step];
    float b = in[i * step + apart];
    out[i * step] = a * cosines[i] - b * sines[i];
    out[i * step + apart] = a * sines[i] + b * cosines[i];
  }
  for (int64_t i = 2 * pairs; i < count; i++) out[i] = in[i];
}

class Rope : public Primitive {
 public:
  Rope(mx::Stream stream, Rotation rotation) : Primitive(stream), rotation_(rotation) {}

  const char* name() const override { return "VmRope"; }

 protected:
  void allocate(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& out = outputs[0];
    auto& x = inputs[0];
    bool packed = x.data_size() == x.size() && x.strides(3) == 1;
    if (packed && !x.flags().row_contiguous) {
      allocate_strided(out, x.strides());
    } else {
      Primitive::allocate(inputs, outputs);
    }
  }

  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& out = outputs[0];
    auto& x = inputs[0];
    auto& offset = inputs[1];
    return [in = Rows(x), to_rows = Rows(out), to = out.data<void>(), kind = kind_of(out.dtype()),
            rotation = rotation_, offsets = offset.data<int32_t>(), each = offset.size() > 1,
            wavelengths = inputs.size() > 2 ? inputs[2].data<float>() : nullptr,
            batch = static_cast<int64_t>(x.shape(0)), heads = static_cast<int64_t>(x.shape(1)),
            rows = static_cast<int64_t>(x.shape(2)), head = static_cast<int64_t>(x.shape(3))] {
      auto speeds = turns(rotation, wavelengths);
      parallel_for(batch * rows, std::max<int64_t>(1, 16384 / (heads * head)), [&](int64_t begin, int64_t end) {
        std::vector<float> cosines(speeds.size());
        std::vector<float> sines(speeds.size());
        std::vector<float> room(head);
        std::vector<float> turned(head);
        for (int64_t item = begin; item < end; item++) {
          int64_t b = item / rows;
          int64_t r = item % rows;
          double position = static_cast<double>(offsets[each ? b : 0]) + static_cast<double>(r);
          for (size_t i = 0; i < speeds.size(); i++) {
            cosines[i] = static_cast<float>(std::cos(position * speeds[i]));
            sines[i] = static_cast<float>(std::sin(position * speeds[i]));
          }
          for (int64_t h = 0; h < heads; h++) {
            int64_t row = (b * heads + h) * rows + r;
            turn_row(rotation, cosines, sines, in.floats(row, room.data()), head, turned.data());
            write_floats(turned.data(), head, kind, to_rows.offset(row), to);
          }
        }
      });
    };
  }

 private:
  Rotation rotation_;
};

class RopeAngles : public Primitive {
 public:
  RopeAngles(mx::Stream stream, Rotation rotation) : Primitive(stream), rotation_(rotation) {}

  const char* name() const override { return "VmRopeAngles"; }

 protected:
  std::function<void()> task(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    return [positions = inputs[0].data<int32_t>(), rows = static_cast<int64_t>(inputs[0].size()), rotation = rotation_,
            wavelengths = inputs.size() > 1 ? inputs[1].data<float>() : nullptr, to = outputs[0].data<float>()] {
      auto speeds = turns(rotation, wavelengths);
      int64_t pairs = static_cast<int64_t>(speeds.size());
      parallel_for(rows, 8, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++) {
          for (int64_t i = 0; i < pairs; i++) {
            to[r * 2 * pairs + i] = static_cast<float>(std::cos(positions[r] * speeds[i]));
            to[r * 2 * pairs + pairs + i] = static_cast<float>(std::sin(positions[r] * speeds[i]));
          }
        }
      });
    };
  }

 private:
  Rotation rotation_;
};

} // namespace

mx::array rope_angles(
    const mx::array& positions, const Rotation& rotation, const std::optional<mx::array>& wavelengths, mx::Stream stream) {
  std::vector<mx::array> inputs{row_major(positions, stream)};
  if (wavelengths) inputs.push_back(row_major(*wavelengths, stream));
  return Primitive::result(
      std::make_shared<RopeAngles>(stream, rotation), std::move(inputs), {positions.shape(0), rotation.dims}, mx::float32);
}

void turn(const float* angles, int64_t dims, bool traditional, float magnitude, int64_t count, float* head) {
  int64_t pairs = dims / 2;
  if (magnitude != 1) {
    for (int64_t i = 0; i < count; i++) head[i] *= magnitude;
  }
  const float* cosines = angles;
  const float* sines = angles + pairs;
  if (traditional) {
    for (int64_t i = 0; i < pairs; i++) {
      float a = head[2 * i];
      float b = head[2 * i + 1];
      head[2 * i] = a * cosines[i] - b * sines[i];
      head[2 * i + 1] = a * sines[i] + b * cosines[i];
    }
  } else {
    for (int64_t i = 0; i < pairs; i++) {
      float a = head[i];
      float b = head[i + pairs];
      head[i] = a * cosines[i] - b * sines[i];
      head[i + pairs] = a * sines[i] + b * cosines[i];
    }
  }
}

bool takes_rope(
    const mx::array& x, const Rotation& rotation, const mx::array& offset, const std::optional<mx::array>& wavelengths) {
  return x.ndim() == 4 && x.size() > 0 && is_float(x.dtype()) && rotation.dims > 0 && rotation.dims % 2 == 0 &&
      rotation.dims <= x.shape(3) && offset.ndim() <= 1 && mx::issubdtype(offset.dtype(), mx::integer) &&
      (offset.size() == 1 || offset.size() == static_cast<size_t>(x.shape(0))) &&
      (!wavelengths || (wavelengths->ndim() == 1 && wavelengths->shape(0) == rotation.dims / 2));
}

mx::array rope(
    const mx::array& x, const Rotation& rotation, const mx::array& offset, const std::optional<mx::array>& wavelengths,
    mx::Stream stream) {
  auto plain = [&](const mx::array& a, mx::Dtype type) {
    return row_major(a.dtype() == type ? a : mx::astype(a, type, stream), stream);
  };
  std::vector<mx::array> inputs{x, plain(offset, mx::int32)};
  if (wavelengths) inputs.push_back(plain(*wavelengths, mx::float32));
  return Primitive::result(std::make_shared<Rope>(stream, rotation), std::move(inputs), x.shape(), x.dtype());
}

} // namespace vm::cpu
