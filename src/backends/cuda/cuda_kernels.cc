#include "backends/cuda/cuda_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "backends/cuda/kernel_sources.h"

namespace embedding {
namespace {

constexpr std::array<const char*, kKernels> kNames = {
    "Embed",
    "Normalize",
    "Activate",
    "ActivateF32",
    "Gate",
    "GatherRows",
    "GatherRowsF32",
    "CombineExperts",
    "GateInputs",
    "Add",
    "Scale",
    "ScaleRows",
    "FromF32",
    "ToF32",
    "Turn",
    "PrepareHeads",
    "Attend",
    "Pool",
    "PoolF32",
    "NormalizeF32",
    "AddF32",
    "NormalizeLengths",
    "WeighVocabulary",
};

// A program of NVRTC's, destroyed when it goes out of scope.
class Program {
 public:
  explicit Program(const Nvrtc& nvrtc) : nvrtc_(nvrtc) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (program_ != nullptr) nvrtc_.DestroyProgram(&program_);
  }

  // Errors: kInternal.
  Status Compile(const std::string& source, const std::vector<std::string>& options) {
    if (nvrtc_.CreateProgram(&program_, source.c_str(), "kernels", 0, nullptr, nullptr) != 0)
      return Failed("no program could be made");
    std::vector<const char*> pointers;
    pointers.reserve(options.size());
    for (const std::string& option : options) pointers.push_back(option.c_str());
    if (nvrtc_.CompileProgram(program_, static_cast<int>(pointers.size()), pointers.data()) == 0)
      return {};
    return Failed(Read(nvrtc_.GetProgramLogSize, nvrtc_.GetProgramLog));
  }

  std::string cubin() { return Read(nvrtc_.GetCubinSize, nvrtc_.GetCubin); }
  std::string ptx() { return Read(nvrtc_.GetPtxSize, nvrtc_.GetPtx); }

 private:
  std::string Read(int (*get_size)(Nvrtc::Program, size_t*), int (*get)(Nvrtc::Program, char*)) {
    size_t size = 0;
    if (get_size(program_, &size) != 0) return "";
    std::string text(size, '\0');
    if (get(program_, text.data()) != 0) return "";
    return text;
  }

  static Error Failed(std::string_view why) {
    return {
        ErrorCode::kInternal, fmt::format("compiling the kernels for CUDA failed: {}", why), {}};
  }

  const Nvrtc& nvrtc_;
  Nvrtc::Program program_ = nullptr;
};

// The newest architecture that the compiler knows and the GPU is not older than.
int SupportedArchitecture(const Nvrtc& nvrtc, int architecture) {
  int count = 0;
  if (nvrtc.GetNumSupportedArchs(&count) != 0 || count <= 0) return architecture;
  std::vector<int> known(static_cast<size_t>(count));
  if (nvrtc.GetSupportedArchs(known.data()) != 0) return architecture;
  int best = 0;
  for (const int each : known) {
    if (each <= architecture) best = std::max(best, each);
  }
  return best == 0 ? architecture : best;
}

}  // namespace

bool KernelOptions::on_tensor_cores() const {
  return type != ComputeType::kF32 && head_dim % 16 == 0 && head_dim <= 256;
}

size_t KernelOptions::warp_queries() const {
  if (!on_tensor_cores()) return 4;
  // As many as a warp's registers hold the sums of.
  return head_dim <= 64 ? 32 : 16;
}

size_t KernelOptions::tile_keys() const { return head_dim <= 128 ? 64 : 32; }

size_t KernelOptions::attention_shared_bytes() const {
  if (!on_tensor_cores()) return kAttentionWarps * head_dim * sizeof(float);
  constexpr size_t kStages = 2;
  return kStages * 2 * tile_keys() * (head_dim + 8) * element_bytes();
}

Result<std::string> CompileKernels(const KernelOptions& options, int architecture) {
  ASSIGN_OR_RETURN(const Nvrtc* const nvrtc, OpenNvrtc());
  const int supported = SupportedArchitecture(*nvrtc, architecture);
  const bool is_native = supported == architecture;
  const std::vector<std::string> arguments = {
      fmt::format("-arch={}_{}", is_native ? "sm" : "compute", supported),
      "-std=c++17",
      "-ftz=true",  // or each exponential is scaled for numbers below 1e-38
      fmt::format("-DELEMENT_BITS={}", 8 * options.element_bytes()),
      fmt::format("-DELEMENT_IS_BF16={:d}", options.type == ComputeType::kBF16),
      fmt::format("-DHIDDEN_SIZE={}", options.hidden_size),
      fmt::format("-DEMBEDDING_SIZE={}", options.embedding_size),
      fmt::format("-DHEAD_DIM={}", options.head_dim),
      fmt::format("-DRELATIVE_DISTANCE={}", options.relative_distance),
      fmt::format("-DPOSITIONS={}", options.positions),
      fmt::format("-DSEES_PART={:d}", options.sees_part),
      fmt::format("-DON_TENSOR_CORES={:d}", options.on_tensor_cores()),
      fmt::format("-DWARP_QUERIES={}", options.warp_queries()),
      fmt::format("-DTILE_KEYS={}", options.tile_keys()),
  };
  Program program(*nvrtc);
  RETURN_IF_ERROR(program.Compile(KernelSource(), arguments));
  return is_native ? program.cubin() : program.ptx();
}

Result<std::unique_ptr<CudaKernels>> CudaKernels::Load(std::shared_ptr<const CudaDevice> device,
                                                       const KernelOptions& options) {
  ASSIGN_OR_RETURN(const std::string image, CompileKernels(options, device->architecture()));
  std::unique_ptr<CudaKernels> kernels(new CudaKernels(std::move(device), options));
  const CudaDevice& on = *kernels->device_;
  const CudaDriver& driver = on.driver();
  RETURN_IF_ERROR(
      on.Check(driver.ModuleLoadData(&kernels->module_, image.data()), "loading the kernels"));
  for (size_t i = 0; i < kKernels; ++i) {
    RETURN_IF_ERROR(on.Check(
        driver.ModuleGetFunction(&kernels->functions_[i], kernels->module_, kNames[i]), kNames[i]));
  }
  RETURN_IF_ERROR(
      on.Check(driver.FuncSetAttribute(kernels->functions_[static_cast<size_t>(Kernel::kAttend)],
                                       kCudaMaxDynamicSharedBytes,
                                       static_cast<int>(options.attention_shared_bytes())),
               "setting the shared memory of attention"));
  return kernels;
}

CudaKernels::~CudaKernels() {
  if (module_ != nullptr && device_->MakeCurrent().ok()) device_->driver().ModuleUnload(module_);
}

Status CudaKernels::LaunchWith(Kernel kernel, const Grid& grid, CudaStream stream,
                               void** arguments) const {
  const auto index = static_cast<size_t>(kernel);
  return device_->Check(
      device_->driver().LaunchKernel(
          functions_[index], static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), 1,
          static_cast<unsigned>(grid.threads), 1, 1, static_cast<unsigned>(grid.shared_bytes),
          stream, arguments, nullptr),
      kNames[index]);
}

}  // namespace embedding
