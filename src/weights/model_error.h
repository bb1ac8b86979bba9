// How this folder words its errors: every one is kModelLoad.
#pragma once

#include <fmt/format.h>

#include <utility>

#include "base/quoted.h"
#include "base/result.h"

namespace embedding {

template <typename... Args>
Error ModelError(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::kModelLoad, fmt::format(format, std::forward<Args>(args)...), {}};
}

}  // namespace embedding
