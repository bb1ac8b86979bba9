#pragma once

namespace embedding::cli {

// The version of CMakeLists.txt's project() (tests/e2e/test_command_line.py holds them together).
inline constexpr char kVersion[] = "0.1.0";

}  // namespace embedding::cli
