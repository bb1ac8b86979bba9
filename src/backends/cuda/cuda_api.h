// What is used of NVIDIA's libraries: the driver (libcuda), the run-time compiler (libnvrtc) and
// the matrix products (libcublasLt). They are opened at run time, so that one program serves
// machines with and without a GPU, and declared here as their references document their ABI (CUDA
// Driver API, NVRTC, cuBLASLt; versions 12 and 13), so that nothing of NVIDIA's is needed to build.
//
// Thread-safety: the tables are immutable; what each function allows is its library's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace embedding {

using CudaError = int;         // CUresult
using CudaPointer = uint64_t;  // CUdeviceptr: an address on the device
using CudaContext = struct CUctx_st*;
using CudaModule = struct CUmod_st*;
using CudaFunction = struct CUfunc_st*;
using CudaStream = struct CUstream_st*;
using CudaGraph = struct CUgraph_st*;
using CudaGraphExec = struct CUgraphExec_st*;

constexpr CudaError kCudaErrorOutOfMemory = 2;
constexpr int kCublasAllocationFailed = 3;

// Values of CUdevice_attribute, CUfunction_attribute, CUstream_flags and CUstreamCaptureMode.
constexpr int kCudaComputeCapabilityMajor = 75;
constexpr int kCudaComputeCapabilityMinor = 76;
constexpr int kCudaMaxDynamicSharedBytes = 8;
constexpr unsigned kCudaStreamNonBlocking = 1;
constexpr int kCudaCaptureThreadLocal = 1;

struct CudaDriver {
  CudaError (*Init)(unsigned flags) = nullptr;
  CudaError (*DriverGetVersion)(int* version) = nullptr;  // 1000 major + 10 minor of CUDA
  CudaError (*GetErrorString)(CudaError error, const char** text) = nullptr;
  CudaError (*DeviceGetCount)(int* count) = nullptr;
  CudaError (*DeviceGet)(int* device, int index) = nullptr;
  CudaError (*DeviceGetName)(char* name, int size, int device) = nullptr;
  CudaError (*DeviceGetAttribute)(int* value, int attribute, int device) = nullptr;
  CudaError (*DevicePrimaryCtxRetain)(CudaContext* context, int device) = nullptr;
  CudaError (*DevicePrimaryCtxRelease)(int device) = nullptr;
  CudaError (*CtxSetCurrent)(CudaContext context) = nullptr;
  CudaError (*MemAlloc)(CudaPointer* pointer, size_t bytes) = nullptr;
  CudaError (*MemFree)(CudaPointer pointer) = nullptr;
  CudaError (*MemAllocHost)(void** pointer, size_t bytes) = nullptr;
  CudaError (*MemFreeHost)(void* pointer) = nullptr;
  CudaError (*MemcpyHtoDAsync)(CudaPointer to, const void* from, size_t bytes,
                               CudaStream stream) = nullptr;
  CudaError (*MemcpyDtoHAsync)(void* to, CudaPointer from, size_t bytes,
                               CudaStream stream) = nullptr;
  CudaError (*MemcpyDtoDAsync)(CudaPointer to, CudaPointer from, size_t bytes,
                               CudaStream stream) = nullptr;
  CudaError (*MemsetD8Async)(CudaPointer to, unsigned char value, size_t bytes,
                             CudaStream stream) = nullptr;
  CudaError (*StreamCreate)(CudaStream* stream, unsigned flags) = nullptr;
  CudaError (*StreamDestroy)(CudaStream stream) = nullptr;
  CudaError (*StreamSynchronize)(CudaStream stream) = nullptr;
  CudaError (*StreamBeginCapture)(CudaStream stream, int mode) = nullptr;
  CudaError (*StreamEndCapture)(CudaStream stream, CudaGraph* graph) = nullptr;
  CudaError (*GraphInstantiate)(CudaGraphExec* exec, CudaGraph graph, uint64_t flags) = nullptr;
  CudaError (*GraphLaunch)(CudaGraphExec exec, CudaStream stream) = nullptr;
  CudaError (*GraphExecDestroy)(CudaGraphExec exec) = nullptr;
  CudaError (*GraphDestroy)(CudaGraph graph) = nullptr;
  CudaError (*ModuleLoadData)(CudaModule* module, const void* image) = nullptr;
  CudaError (*ModuleUnload)(CudaModule module) = nullptr;
  CudaError (*ModuleGetFunction)(CudaFunction* function, CudaModule module,
                                 const char* name) = nullptr;
  CudaError (*FuncSetAttribute)(CudaFunction function, int attribute, int value) = nullptr;
  CudaError (*LaunchKernel)(CudaFunction function, unsigned grid_x, unsigned grid_y,
                            unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                            unsigned shared_bytes, CudaStream stream, void** arguments,
                            void** extra) = nullptr;
};

struct Nvrtc {
  using Program = struct NvrtcProgram*;
  int (*Version)(int* major, int* minor) = nullptr;
  int (*GetNumSupportedArchs)(int* count) = nullptr;
  int (*GetSupportedArchs)(int* architectures) = nullptr;
  int (*CreateProgram)(Program* program, const char* source, const char* name, int headers,
                       const char* const* header_sources,
                       const char* const* header_names) = nullptr;
  int (*DestroyProgram)(Program* program) = nullptr;
  int (*CompileProgram)(Program program, int options, const char* const* option) = nullptr;
  int (*GetCubinSize)(Program program, size_t* bytes) = nullptr;
  int (*GetCubin)(Program program, char* cubin) = nullptr;
  int (*GetPtxSize)(Program program, size_t* bytes) = nullptr;
  int (*GetPtx)(Program program, char* ptx) = nullptr;
  int (*GetProgramLogSize)(Program program, size_t* bytes) = nullptr;
  int (*GetProgramLog)(Program program, char* log) = nullptr;
};

// Values of cudaDataType_t, cublasComputeType_t, cublasOperation_t, cublasLtMatmulDescAttributes_t,
// cublasLtEpilogue_t and cublasLtMatmulPreferenceAttributes_t.
constexpr int kCublasF32 = 0;
constexpr int kCublasF16 = 2;
constexpr int kCublasBF16 = 14;
constexpr int kCublasComputeF32 = 68;
constexpr int32_t kCublasTransposed = 1;
constexpr int kCublasLtTransposeA = 3;
constexpr int kCublasLtEpilogue = 7;
constexpr int kCublasLtBiasPointer = 8;
constexpr uint32_t kCublasLtEpilogueBias = 4;
constexpr int kCublasLtMaxWorkspaceBytes = 1;
constexpr int kCublasLtReductionSchemes = 3;
constexpr int kCublasLtMinAlignments[] = {5, 6, 7, 8};  // of a, b, c, d in bytes

struct CublasLt {
  using Handle = struct CublasLtHandle*;
  using MatmulDesc = struct CublasLtMatmulDesc*;
  using MatrixLayout = struct CublasLtMatrixLayout*;
  using Preference = struct CublasLtPreference*;
  struct Algorithm {
    uint64_t data[8];
  };
  struct Heuristic {
    Algorithm algorithm;
    size_t workspace_bytes;
    int status;
    float waves;
    int reserved[4];
  };

  size_t (*GetVersion)() = nullptr;
  const char* (*GetStatusString)(int status) = nullptr;
  int (*Create)(Handle* handle) = nullptr;
  int (*Destroy)(Handle handle) = nullptr;
  int (*MatmulDescCreate)(MatmulDesc* desc, int compute_type, int scale_type) = nullptr;
  int (*MatmulDescDestroy)(MatmulDesc desc) = nullptr;
  int (*MatmulDescSetAttribute)(MatmulDesc desc, int attribute, const void* value,
                                size_t bytes) = nullptr;
  int (*MatrixLayoutCreate)(MatrixLayout* layout, int type, uint64_t rows, uint64_t columns,
                            int64_t leading_dimension) = nullptr;
  int (*MatrixLayoutDestroy)(MatrixLayout layout) = nullptr;
  int (*PreferenceCreate)(Preference* preference) = nullptr;
  int (*PreferenceDestroy)(Preference preference) = nullptr;
  int (*PreferenceSetAttribute)(Preference preference, int attribute, const void* value,
                                size_t bytes) = nullptr;
  int (*MatmulAlgoGetHeuristic)(Handle handle, MatmulDesc desc, MatrixLayout a, MatrixLayout b,
                                MatrixLayout c, MatrixLayout d, Preference preference,
                                int requested, Heuristic* found, int* count) = nullptr;
  int (*Matmul)(Handle handle, MatmulDesc desc, const void* alpha, const void* a,
                MatrixLayout a_layout, const void* b, MatrixLayout b_layout, const void* beta,
                const void* c, MatrixLayout c_layout, void* d, MatrixLayout d_layout,
                const Algorithm* algorithm, void* workspace, size_t workspace_bytes,
                CudaStream stream) = nullptr;
};

// Each is opened by the first call and never closed. NVRTC and cuBLASLt are those of CUDA 13, or of
// 12 where the driver is for that or they are not there. Errors: kDeviceUnavailable, saying which
// file could not be opened and why, or what it lacks.
Result<const CudaDriver*> OpenCudaDriver();
Result<const Nvrtc*> OpenNvrtc();
Result<const CublasLt*> OpenCublasLt();

}  // namespace embedding
