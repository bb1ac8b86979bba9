// Which backends there are in this build: nothing else knows.
#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "backends/cpu/cpu_backend.h"
#include "base/quoted.h"
#include "embedding/device.h"

namespace embedding {
namespace {

struct Entry {
  std::string_view device;
  Result<std::shared_ptr<Backend>> (*open)(const DeviceOptions& options);
};

// In the order in which "auto" tries them. The last is always present.
constexpr Entry kBackends[] = {{"cpu", OpenCpuBackend}};

}  // namespace

Result<std::shared_ptr<Backend>> OpenBackend(const DeviceOptions& options) {
  std::string known;
  for (const Entry& entry : kBackends) {
    if (options.device == entry.device) return entry.open(options);
    if (options.device == "auto") {
      auto opened = entry.open(options);
      if (opened.ok() || &entry == std::end(kBackends) - 1) return opened;
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", entry.device);
  }
  return Error{ErrorCode::kDeviceUnavailable,
               fmt::format("there is no device {} in this build; there are auto, {}",
                           Quoted(options.device), known),
               {}};
}

}  // namespace embedding
