// How this folder words its errors: every one is kModelLoad, and text taken from a file is shown in
// a form that cannot disturb a terminal or a log.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace embedding {

template <typename... Args>
Error ModelError(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::kModelLoad, fmt::format(format, std::forward<Args>(args)...), {}};
}

// `text` in printable ASCII, other bytes as \x1b, cut after about `max_bytes` of it.
std::string Printable(std::string_view text, size_t max_bytes);

// A name out of a file, printable, of bearable length, between quotes.
std::string Quoted(std::string_view text);

}  // namespace embedding
