#include "backends/cuda/cuda_api.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace embedding {
namespace {

// A library whose functions are looked up; the first that is missing is remembered.
class Library {
 public:
  // The first of the names that can be opened.
  explicit Library(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      name_ = name;
      handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (handle_ != nullptr) return;
      const char* const why = dlerror();
      problems_ += problems_.empty() ? "" : "; ";
      problems_ += why == nullptr ? name : why;
    }
  }

  template <typename Function>
  void Find(const char* name, Function*& function) {
    if (handle_ == nullptr) return;
    void* const symbol = dlsym(handle_, name);
    if (symbol == nullptr && missing_.empty()) missing_ = name;
    function = reinterpret_cast<Function*>(symbol);
  }

  // `advice`: where the library comes from.
  Status status(std::string_view advice) const {
    if (handle_ == nullptr) {
      return Error{ErrorCode::kDeviceUnavailable, fmt::format("{} ({})", problems_, advice), {}};
    }
    if (missing_.empty()) return {};
    return Error{ErrorCode::kDeviceUnavailable,
                 fmt::format("the library {} is too old: it has no {}", name_, missing_),
                 {}};
  }

 private:
  std::string name_;
  std::string problems_;
  void* handle_ = nullptr;
  std::string missing_;
};

// A library of CUDA 13's or 12's that the driver serves: an older driver takes nothing of CUDA 13.
Library OfToolkit(const std::string& name) {
  int version = 0;
  const auto driver = OpenCudaDriver();
  const bool is_older =
      driver.ok() && (*driver)->DriverGetVersion(&version) == 0 && version < 13000;
  std::vector<std::string> names = {name + ".so.12"};
  if (!is_older) names.insert(names.begin(), name + ".so.13");
  return Library(names);
}

constexpr std::string_view kToolkitAdvice =
    "it is part of CUDA 12 and 13, of which a driver for CUDA 12 takes 12 alone; where it lies in "
    "a "
    "folder that the system does not search, name that in LD_LIBRARY_PATH";

Result<CudaDriver> FindDriver() {
  Library library({"libcuda.so.1"});
  CudaDriver driver;
  library.Find("cuInit", driver.Init);
  library.Find("cuDriverGetVersion", driver.DriverGetVersion);
  library.Find("cuGetErrorString", driver.GetErrorString);
  library.Find("cuDeviceGetCount", driver.DeviceGetCount);
  library.Find("cuDeviceGet", driver.DeviceGet);
  library.Find("cuDeviceGetName", driver.DeviceGetName);
  library.Find("cuDeviceGetAttribute", driver.DeviceGetAttribute);
  library.Find("cuDevicePrimaryCtxRetain", driver.DevicePrimaryCtxRetain);
  library.Find("cuDevicePrimaryCtxRelease_v2", driver.DevicePrimaryCtxRelease);
  library.Find("cuCtxSetCurrent", driver.CtxSetCurrent);
  library.Find("cuMemAlloc_v2", driver.MemAlloc);
  library.Find("cuMemFree_v2", driver.MemFree);
  library.Find("cuMemAllocHost_v2", driver.MemAllocHost);
  library.Find("cuMemFreeHost", driver.MemFreeHost);
  library.Find("cuMemcpyHtoDAsync_v2", driver.MemcpyHtoDAsync);
  library.Find("cuMemcpyDtoHAsync_v2", driver.MemcpyDtoHAsync);
  library.Find("cuMemcpyDtoDAsync_v2", driver.MemcpyDtoDAsync);
  library.Find("cuMemsetD8Async", driver.MemsetD8Async);
  library.Find("cuStreamCreate", driver.StreamCreate);
  library.Find("cuStreamDestroy_v2", driver.StreamDestroy);
  library.Find("cuStreamSynchronize", driver.StreamSynchronize);
  library.Find("cuStreamBeginCapture_v2", driver.StreamBeginCapture);
  library.Find("cuStreamEndCapture", driver.StreamEndCapture);
  library.Find("cuGraphInstantiateWithFlags", driver.GraphInstantiate);
  library.Find("cuGraphLaunch", driver.GraphLaunch);
  library.Find("cuGraphExecDestroy", driver.GraphExecDestroy);
  library.Find("cuGraphDestroy", driver.GraphDestroy);
  library.Find("cuModuleLoadData", driver.ModuleLoadData);
  library.Find("cuModuleUnload", driver.ModuleUnload);
  library.Find("cuModuleGetFunction", driver.ModuleGetFunction);
  library.Find("cuFuncSetAttribute", driver.FuncSetAttribute);
  library.Find("cuLaunchKernel", driver.LaunchKernel);
  RETURN_IF_ERROR(library.status("it comes with NVIDIA's driver"));
  return driver;
}

Result<Nvrtc> FindNvrtc() {
  Library library = OfToolkit("libnvrtc");
  Nvrtc nvrtc;
  library.Find("nvrtcVersion", nvrtc.Version);
  library.Find("nvrtcGetNumSupportedArchs", nvrtc.GetNumSupportedArchs);
  library.Find("nvrtcGetSupportedArchs", nvrtc.GetSupportedArchs);
  library.Find("nvrtcCreateProgram", nvrtc.CreateProgram);
  library.Find("nvrtcDestroyProgram", nvrtc.DestroyProgram);
  library.Find("nvrtcCompileProgram", nvrtc.CompileProgram);
  library.Find("nvrtcGetCUBINSize", nvrtc.GetCubinSize);
  library.Find("nvrtcGetCUBIN", nvrtc.GetCubin);
  library.Find("nvrtcGetPTXSize", nvrtc.GetPtxSize);
  library.Find("nvrtcGetPTX", nvrtc.GetPtx);
  library.Find("nvrtcGetProgramLogSize", nvrtc.GetProgramLogSize);
  library.Find("nvrtcGetProgramLog", nvrtc.GetProgramLog);
  RETURN_IF_ERROR(library.status(kToolkitAdvice));
  return nvrtc;
}

Result<CublasLt> FindCublasLt() {
  Library library = OfToolkit("libcublasLt");
  CublasLt cublas;
  library.Find("cublasLtGetVersion", cublas.GetVersion);
  library.Find("cublasLtGetStatusString", cublas.GetStatusString);
  library.Find("cublasLtCreate", cublas.Create);
  library.Find("cublasLtDestroy", cublas.Destroy);
  library.Find("cublasLtMatmulDescCreate", cublas.MatmulDescCreate);
  library.Find("cublasLtMatmulDescDestroy", cublas.MatmulDescDestroy);
  library.Find("cublasLtMatmulDescSetAttribute", cublas.MatmulDescSetAttribute);
  library.Find("cublasLtMatrixLayoutCreate", cublas.MatrixLayoutCreate);
  library.Find("cublasLtMatrixLayoutDestroy", cublas.MatrixLayoutDestroy);
  library.Find("cublasLtMatmulPreferenceCreate", cublas.PreferenceCreate);
  library.Find("cublasLtMatmulPreferenceDestroy", cublas.PreferenceDestroy);
  library.Find("cublasLtMatmulPreferenceSetAttribute", cublas.PreferenceSetAttribute);
  library.Find("cublasLtMatmulAlgoGetHeuristic", cublas.MatmulAlgoGetHeuristic);
  library.Find("cublasLtMatmul", cublas.Matmul);
  RETURN_IF_ERROR(library.status(kToolkitAdvice));
  return cublas;
}

template <typename Table>
Result<const Table*> Pointer(const Result<Table>& found) {
  if (!found.ok()) return found.error();
  return &*found;
}

}  // namespace

Result<const CudaDriver*> OpenCudaDriver() {
  static const Result<CudaDriver> kFound = FindDriver();
  return Pointer(kFound);
}

Result<const Nvrtc*> OpenNvrtc() {
  static const Result<Nvrtc> kFound = FindNvrtc();
  return Pointer(kFound);
}

Result<const CublasLt*> OpenCublasLt() {
  static const Result<CublasLt> kFound = FindCublasLt();
  return Pointer(kFound);
}

}  // namespace embedding
