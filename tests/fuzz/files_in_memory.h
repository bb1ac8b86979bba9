// For a target that writes its input into files: they are in memory, where the system has such a
// folder. Included once, by the target.
#pragma once

#include <cstdlib>
#include <filesystem>

extern "C" __attribute__((used)) inline int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  if (std::filesystem::is_directory("/dev/shm")) setenv("TMPDIR", "/dev/shm", 1);
  return 0;
}
