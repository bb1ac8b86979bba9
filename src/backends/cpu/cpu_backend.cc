#include "backends/cpu/cpu_backend.h"

#include <fmt/format.h>

#include <exception>
#include <system_error>
#include <utility>

#include "backends/cpu/cpu_session.h"
#include "backends/cpu/instruction_set.h"
#include "backends/cpu/panel_linear.h"
#include "base/cpu.h"
#include "base/mutex.h"
#include "base/thread_team.h"

namespace embedding {
namespace {

class CpuBackend : public Backend {
 public:
  explicit CpuBackend(size_t threads) : team_(std::make_shared<ThreadTeam>(threads)) {}

  Result<std::unique_ptr<Session>> Load(const Architecture& architecture, const Tensors& tensors,
                                        ComputeType type) override;
  std::string_view device() const override { return "cpu"; }
  std::string numerics() const override { return CpuNumerics(); }

 private:
  const std::shared_ptr<ThreadTeam> team_;  // the sessions' too
};

Result<std::unique_ptr<Session>> CpuBackend::Load(const Architecture& architecture,
                                                  const Tensors& tensors, ComputeType type) {
  const bool has_bf16 = PanelsMultiplyBf16();
  if (type == ComputeType::kAuto) type = has_bf16 ? ComputeType::kBF16 : ComputeType::kF32;
  if (type == ComputeType::kBF16 && !has_bf16) {
    return Error{ErrorCode::kDeviceUnavailable,
                 "this processor does not multiply bf16; choose the dtype f32 or auto",
                 {}};
  }
  const MutexLock lock(team_->mutex());  // the weights are packed by it
  try {
    return MakeCpuSession(architecture, tensors, type, has_bf16, team_);
  } catch (const std::exception& e) {
    return Error{
        ErrorCode::kModelLoad, fmt::format("packing the weights failed: {}", e.what()), {}};
  }
}

}  // namespace

Result<std::shared_ptr<Backend>> OpenCpuBackend(const DeviceOptions& options) {
  RETURN_IF_ERROR(LimitInstructionSet(options.instruction_set));
  try {
    const int threads = options.threads > 0 ? options.threads : AvailableCpus();
    return std::shared_ptr<Backend>(std::make_shared<CpuBackend>(static_cast<size_t>(threads)));
  } catch (const std::system_error& e) {
    return Error{
        ErrorCode::kInternal,
        fmt::format("cannot start the computing threads: {}; try fewer --threads, or raise "
                    "the limit of processes (ulimit -u)",
                    e.what()),
        {}};
  }
}

}  // namespace embedding
