// One GPU of NVIDIA's, and memory on it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "backends/cuda/cuda_api.h"
#include "base/result.h"

namespace embedding {

// Thread-safe. What it calls of the driver needs MakeCurrent() once on the thread that calls.
class CudaDevice {
 public:
  // How many there are. Errors: kDeviceUnavailable, saying what is missing.
  static Result<int> Count();
  // `index` is below Count(). Errors: kDeviceUnavailable; kInternal if the driver fails.
  static Result<std::shared_ptr<const CudaDevice>> Open(int index);

  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;
  ~CudaDevice();

  const CudaDriver& driver() const { return driver_; }
  const std::string& name() const { return name_; }  // "NVIDIA H100 80GB HBM3"
  // Ten times the compute capability: 90 for an H100.
  int architecture() const { return architecture_; }

  Status MakeCurrent() const;
  // What a call of the driver returned, as a Status: kOutOfMemory or kInternal, naming `what`
  // failed.
  Status Check(CudaError error, std::string_view what) const;

 private:
  CudaDevice(const CudaDriver& driver, int device) : driver_(driver), device_(device) {}

  const CudaDriver& driver_;
  const int device_;
  CudaContext context_ = nullptr;
  std::string name_;
  int architecture_ = 0;
};

// Memory of a device, or of the host where the device reads and writes it directly.
class CudaBuffer {
 public:
  enum class Kind { kDevice, kHost };

  explicit CudaBuffer(std::shared_ptr<const CudaDevice> device, Kind kind = Kind::kDevice)
      : device_(std::move(device)), kind_(kind) {}
  CudaBuffer(CudaBuffer&& other) noexcept;
  CudaBuffer& operator=(CudaBuffer&& other) noexcept;
  ~CudaBuffer();

  // Has at least so many bytes afterwards; what they held is lost if there were fewer. Nothing that
  // was launched may use the old ones any more. Errors: kOutOfMemory, kInternal; none are held
  // then.
  Status Reserve(size_t bytes);
  void Free();

  size_t bytes() const { return bytes_; }
  CudaPointer address() const { return address_; }  // of kDevice
  template <typename T>
  T* host() const {  // of kHost
    return static_cast<T*>(host_);
  }

 private:
  std::shared_ptr<const CudaDevice> device_;
  Kind kind_;
  size_t bytes_ = 0;
  CudaPointer address_ = 0;  // this, or host_
  void* host_ = nullptr;
};

}  // namespace embedding
