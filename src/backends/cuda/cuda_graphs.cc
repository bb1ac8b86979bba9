#include "backends/cuda/cuda_graphs.h"

#include <exception>

namespace embedding {
namespace {

// Each takes about a megabyte on the device.
constexpr size_t kMaxGraphs = 256;

constexpr size_t kSeenBeforeRecorded = 3;

}  // namespace

Status CudaGraphs::Run(const Key& key, const std::function<Status()>& launch) {
  if (graphs_.size() >= kMaxGraphs && !graphs_.contains(key)) {
    std::erase_if(graphs_, [](const auto& each) { return each.second.exec == nullptr; });
    if (graphs_.size() >= kMaxGraphs) Clear();
  }
  Graph& graph = graphs_[key];
  if (++graph.seen < kSeenBeforeRecorded) return launch();
  if (graph.exec == nullptr) {
    auto recorded = Record(launch);
    if (!recorded.ok()) {  // for want of memory, say: it is a matter of speed alone
      graph.seen = 0;
      return launch();
    }
    graph.exec = *recorded;
  }
  return compute_.device().Check(compute_.driver().GraphLaunch(graph.exec, compute_.stream()),
                                 "repeating launches");
}

Result<CudaGraphExec> CudaGraphs::Record(const std::function<Status()>& launch) {
  const CudaDevice& device = compute_.device();
  const CudaDriver& driver = compute_.driver();
  RETURN_IF_ERROR(device.Check(
      driver.StreamBeginCapture(compute_.stream(), kCudaCaptureThreadLocal), "recording launches"));
  Status launched;
  try {
    launched = launch();
  } catch (const std::exception&) {  // or the stream would record for ever
    launched = Error{ErrorCode::kOutOfMemory, {}, {}};
  }
  CudaGraph graph = nullptr;
  const Status ended =
      device.Check(driver.StreamEndCapture(compute_.stream(), &graph), "recording launches");
  CudaGraphExec exec = nullptr;
  Status made;
  if (launched.ok() && ended.ok())
    made = device.Check(driver.GraphInstantiate(&exec, graph, 0), "making a graph");
  if (graph != nullptr) driver.GraphDestroy(graph);
  RETURN_IF_ERROR(launched);
  RETURN_IF_ERROR(ended);
  RETURN_IF_ERROR(made);
  return exec;
}

void CudaGraphs::Clear() {
  for (const auto& [key, graph] : graphs_) {
    if (graph.exec != nullptr && compute_.device().MakeCurrent().ok())
      compute_.driver().GraphExecDestroy(graph.exec);
  }
  graphs_.clear();
}

}  // namespace embedding
