// The text of kernels/, as one program of CUDA C++.
#pragma once

#include <string>

namespace embedding {

std::string KernelSource();

}  // namespace embedding
