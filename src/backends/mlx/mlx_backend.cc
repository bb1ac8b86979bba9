#include "backends/mlx/mlx_backend.h"

#include <fmt/format.h>
#include <mlx/backend/cuda/cuda.h>
#include <mlx/backend/metal/metal.h>
#include <mlx/mlx.h>

#include <charconv>
#include <exception>
#include <string>
#include <string_view>

#include "backends/adapted_models.h"
#include "backends/mlx/mlx_session.h"

namespace embedding {

namespace mx = mlx::core;

namespace {

// Of memory that MLX has freed and keeps for the next batch.
constexpr size_t kCacheBytes = size_t{1} << 30;

class MlxBackend : public Backend {
 public:
  MlxBackend(std::string device, mx::Device mlx_device, bool compiled)
      : name_(std::move(device)), device_(mlx_device), compiled_(compiled) {}

  Result<std::unique_ptr<Session>> Load(const Architecture& architecture, const Tensors& tensors,
                                        ComputeType type) override;
  std::string_view device() const override { return name_; }
  std::string numerics() const override;

 private:
  const std::string name_;
  const mx::Device device_;
  const bool compiled_;
};

Result<std::unique_ptr<Session>> MlxBackend::Load(const Architecture& architecture,
                                                  const Tensors& tensors, ComputeType type) {
  if (type == ComputeType::kInt8) {
    return Error{ErrorCode::kDeviceUnavailable,
                 fmt::format("the device {} does not compute in int8; choose the dtype f32, f16, "
                             "bf16 or auto, or the device cpu",
                             name_),
                 {}};
  }
  RETURN_IF_ERROR(CheckAdapters(architecture.encoder));
  try {
    return MakeMlxSession(architecture, tensors, type, device_, compiled_);
  } catch (const std::exception& e) {
    return Error{ErrorCode::kModelLoad,
                 fmt::format("bringing the weights to the device {} failed: {}", name_, e.what()),
                 {}};
  }
}

std::string MlxBackend::numerics() const {
  std::string_view architecture = "cpu";
  if (device_ == mx::Device::gpu) {
    const auto& info = mx::device_info(device_);
    const auto found = info.find("architecture");
    const auto* const name =
        found == info.end() ? nullptr : std::get_if<std::string>(&found->second);
    architecture = name == nullptr ? std::string_view("gpu") : std::string_view(*name);
  }
  return fmt::format("mlx {} {}", mx::version(), architecture);
}

Result<std::shared_ptr<Backend>> Open(const std::string& name, mx::Device device, bool compiled) {
  mx::set_cache_limit(kCacheBytes);
  return std::shared_ptr<Backend>(std::make_shared<MlxBackend>(name, device, compiled));
}

Error NotThere(std::string_view device, std::string_view why) {
  return {ErrorCode::kDeviceUnavailable,
          fmt::format("the device {} is not there: {}; choose the device auto or cpu", device, why),
          {}};
}

}  // namespace

Result<std::shared_ptr<Backend>> OpenMpsBackend(const DeviceOptions&) {
  if (!mx::metal::is_available()) return NotThere("mps", "this machine has no GPU with Metal");
  return Open("mps", mx::Device(mx::Device::gpu), true);
}

Result<std::shared_ptr<Backend>> OpenMlxCudaBackend(const DeviceOptions& options) {
  if (!mx::cu::is_available())
    return NotThere("mlx-cuda", "this machine has no NVIDIA GPU, or no driver of it");
  // "mlx-cuda", or "mlx-cuda:1".
  const std::string_view given = options.device;
  int index = 0;
  if (const size_t colon = given.find(':'); colon != std::string_view::npos) {
    const std::string_view number = given.substr(colon + 1);
    const char* const end = number.data() + number.size();
    const int count = mx::device_count(mx::Device::gpu);
    if (const auto read = std::from_chars(number.data(), end, index);
        number.empty() || read.ptr != end || index < 0 || index >= count) {
      return NotThere(given, fmt::format("there are mlx-cuda:0 to mlx-cuda:{}", count - 1));
    }
  }
  return Open(index == 0 ? "mlx-cuda" : fmt::format("mlx-cuda:{}", index),
              mx::Device(mx::Device::gpu, index), true);
}

Result<std::shared_ptr<Backend>> OpenMlxCpuBackend(bool compiled) {
  return Open("mlx-cpu", mx::Device(mx::Device::cpu), compiled);
}

}  // namespace embedding
