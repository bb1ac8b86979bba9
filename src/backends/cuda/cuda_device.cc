#include "backends/cuda/cuda_device.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace embedding {
namespace {

// The 16-bit matrix instructions that attention uses, and bf16, came with it.
constexpr int kOldestArchitecture = 80;

Status CheckCall(const CudaDriver& driver, CudaError error, std::string_view what) {
  if (error == 0) return {};
  const char* text = nullptr;
  if (driver.GetErrorString(error, &text) != 0 || text == nullptr) text = "unknown error";
  return Error{error == kCudaErrorOutOfMemory ? ErrorCode::kOutOfMemory : ErrorCode::kInternal,
               fmt::format("CUDA: {}: {} ({})", what, text, error),
               {}};
}

}  // namespace

Result<int> CudaDevice::Count() {
  ASSIGN_OR_RETURN(const CudaDriver* const driver, OpenCudaDriver());
  int count = 0;
  Status status = CheckCall(*driver, driver->Init(0), "starting");
  if (status.ok()) status = CheckCall(*driver, driver->DeviceGetCount(&count), "counting GPUs");
  if (!status.ok()) return Error{ErrorCode::kDeviceUnavailable, status.error().message, {}};
  return count;
}

Result<std::shared_ptr<const CudaDevice>> CudaDevice::Open(int index) {
  ASSIGN_OR_RETURN(const CudaDriver* const driver, OpenCudaDriver());
  int device = 0;
  RETURN_IF_ERROR(CheckCall(*driver, driver->DeviceGet(&device, index), "opening the GPU"));
  std::shared_ptr<CudaDevice> opened(new CudaDevice(*driver, device));
  std::array<char, 256> name = {};
  RETURN_IF_ERROR(
      opened->Check(driver->DeviceGetName(name.data(), static_cast<int>(name.size()), device),
                    "asking for its name"));
  opened->name_ = name.data();
  int major = 0;
  int minor = 0;
  RETURN_IF_ERROR(
      opened->Check(driver->DeviceGetAttribute(&major, kCudaComputeCapabilityMajor, device),
                    "asking for its capability"));
  RETURN_IF_ERROR(
      opened->Check(driver->DeviceGetAttribute(&minor, kCudaComputeCapabilityMinor, device),
                    "asking for its capability"));
  opened->architecture_ = 10 * major + minor;
  if (opened->architecture_ < kOldestArchitecture) {
    return Error{ErrorCode::kDeviceUnavailable,
                 fmt::format("the {} has the compute capability {}.{}, and 8.0 is the least",
                             opened->name_, major, minor),
                 {}};
  }
  RETURN_IF_ERROR(opened->Check(driver->DevicePrimaryCtxRetain(&opened->context_, device),
                                "opening the GPU's context"));
  return std::shared_ptr<const CudaDevice>(std::move(opened));
}

CudaDevice::~CudaDevice() {
  if (context_ != nullptr) driver_.DevicePrimaryCtxRelease(device_);
}

Status CudaDevice::MakeCurrent() const {
  return Check(driver_.CtxSetCurrent(context_), "taking the GPU's context");
}

Status CudaDevice::Check(CudaError error, std::string_view what) const {
  return CheckCall(driver_, error, what);
}

CudaBuffer::CudaBuffer(CudaBuffer&& other) noexcept
    : device_(std::move(other.device_)),
      kind_(other.kind_),
      bytes_(std::exchange(other.bytes_, 0)),
      address_(std::exchange(other.address_, 0)),
      host_(std::exchange(other.host_, nullptr)) {}

CudaBuffer& CudaBuffer::operator=(CudaBuffer&& other) noexcept {
  if (this == &other) return *this;
  Free();
  device_ = std::move(other.device_);
  kind_ = other.kind_;
  bytes_ = std::exchange(other.bytes_, 0);
  address_ = std::exchange(other.address_, 0);
  host_ = std::exchange(other.host_, nullptr);
  return *this;
}

CudaBuffer::~CudaBuffer() { Free(); }

void CudaBuffer::Free() {
  if (bytes_ == 0 || !device_->MakeCurrent().ok()) return;
  if (kind_ == Kind::kDevice) {
    device_->driver().MemFree(address_);
  } else {
    device_->driver().MemFreeHost(host_);
  }
  address_ = 0;
  host_ = nullptr;
  bytes_ = 0;
}

Status CudaBuffer::Reserve(size_t bytes) {
  if (bytes <= bytes_) return {};
  Free();
  const CudaDriver& driver = device_->driver();
  if (kind_ == Kind::kDevice) {
    RETURN_IF_ERROR(device_->Check(driver.MemAlloc(&address_, bytes),
                                   fmt::format("taking {} bytes of the GPU's memory", bytes)));
  } else {
    RETURN_IF_ERROR(device_->Check(driver.MemAllocHost(&host_, bytes),
                                   fmt::format("taking {} bytes of memory", bytes)));
  }
  bytes_ = bytes;
  return {};
}

}  // namespace embedding
