#include "backends/cuda/cuda_backend.h"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "backends/cuda/cuda_device.h"
#include "backends/cuda/cuda_session.h"

namespace embedding {
namespace {

class CudaBackend : public Backend {
 public:
  CudaBackend(std::string device, std::shared_ptr<const CudaDevice> gpu)
      : name_(std::move(device)), gpu_(std::move(gpu)) {}

  Result<std::unique_ptr<Session>> Load(const Architecture& architecture, const Tensors& tensors,
                                        ComputeType type) override;
  std::string_view device() const override { return name_; }
  std::string numerics() const override;

 private:
  const std::string name_;
  const std::shared_ptr<const CudaDevice> gpu_;
};

Result<std::unique_ptr<Session>> CudaBackend::Load(const Architecture& architecture,
                                                   const Tensors& tensors, ComputeType type) {
  if (type == ComputeType::kInt8) {
    return Error{ErrorCode::kDeviceUnavailable,
                 fmt::format("the device {} does not compute in int8; choose the dtype f32, f16, "
                             "bf16 or auto, or the device cpu",
                             name_),
                 {}};
  }
  return MakeCudaSession(architecture, tensors, type, gpu_);
}

std::string CudaBackend::numerics() const {
  // The libraries choose kernels by the GPU's size, and the driver may compile ours.
  int driver = 0;
  int major = 0;
  int minor = 0;
  const auto nvrtc = OpenNvrtc();
  const auto cublas = OpenCublasLt();
  if (gpu_->driver().DriverGetVersion(&driver) != 0 || !nvrtc.ok() || !cublas.ok() ||
      (*nvrtc)->Version(&major, &minor) != 0)
    return fmt::format("cuda {} unknown", gpu_->name());
  return fmt::format("cuda {} sm_{} driver {} NVRTC {}.{} cuBLASLt {}", gpu_->name(),
                     gpu_->architecture(), driver, major, minor, (*cublas)->GetVersion());
}

Error NotThere(std::string_view device, std::string_view why) {
  return {ErrorCode::kDeviceUnavailable,
          fmt::format("the device {} is not there: {}; choose the device auto or cpu", device, why),
          {}};
}

// The number behind the colon, 0 where there is none; -1 if it is none.
int IndexOf(std::string_view device) {
  const size_t colon = device.find(':');
  if (colon == std::string_view::npos) return 0;
  const std::string_view number = device.substr(colon + 1);
  int index = -1;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), index);
  return read.ec == std::errc{} && read.ptr == number.data() + number.size() ? index : -1;
}

// The GPU, if all that computing on it needs is there.
Result<std::shared_ptr<const CudaDevice>> OpenWithLibraries(int index) {
  ASSIGN_OR_RETURN(std::shared_ptr<const CudaDevice> gpu, CudaDevice::Open(index));
  if (const auto nvrtc = OpenNvrtc(); !nvrtc.ok()) return nvrtc.error();
  if (const auto cublas = OpenCublasLt(); !cublas.ok()) return cublas.error();
  return gpu;
}

}  // namespace

bool HasCudaGpu() {
  const auto count = CudaDevice::Count();
  return count.ok() && *count > 0;
}

Result<std::shared_ptr<Backend>> OpenCudaBackend(const DeviceOptions& options) {
  const std::string& asked = options.device;
  const auto count = CudaDevice::Count();
  if (!count.ok()) return NotThere(asked, count.error().message);
  if (*count == 0) return NotThere(asked, "this machine has no GPU that its driver shows");
  const int index = IndexOf(asked);
  if (index < 0 || index >= *count)
    return NotThere(asked, fmt::format("there are cuda:0 to cuda:{}", *count - 1));
  auto gpu = OpenWithLibraries(index);
  if (!gpu.ok()) return NotThere(asked, gpu.error().message);
  return std::shared_ptr<Backend>(std::make_shared<CudaBackend>(asked, *std::move(gpu)));
}

}  // namespace embedding
