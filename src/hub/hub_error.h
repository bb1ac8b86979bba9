// How this folder words what keeps a model from being had: every such error is kDownload. What a
// repository lacks to be a model is a ModelError, as it is of a directory, and so is a name that
// can be no model's.
#pragma once

#include <fmt/format.h>

#include <utility>

#include "base/quoted.h"
#include "base/result.h"

namespace embedding {

template <typename... Args>
Error HubError(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::kDownload, fmt::format(format, std::forward<Args>(args)...), {}};
}

}  // namespace embedding
