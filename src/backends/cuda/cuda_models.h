// Which models the device cuda computes.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/architecture.h"

namespace embedding {

// Errors: kDeviceUnavailable, saying what of the model `device` does not compute and that the CPU
// does.
Status CheckCudaComputes(const Architecture& architecture, std::string_view device);

}  // namespace embedding
