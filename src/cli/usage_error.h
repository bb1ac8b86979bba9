// How this folder words its errors about options.
#pragma once

#include <fmt/format.h>

#include <utility>

#include "base/result.h"

namespace embedding::cli {

template <typename... Args>
Error UsageError(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...), {}};
}

}  // namespace embedding::cli
