// Which models the backends for GPUs compute.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/architecture.h"

namespace embedding {

// Whether a model is one of BERT's kind: tables of positions and token types, layers with weights
// of their own that are normalised after each half by LayerNorm, every token seeing every other,
// heads of BERT's, and a vector that no module but Dense is made with. Errors: kDeviceUnavailable,
// saying what `device` does not compute and that the CPU does.
Status CheckPlainEncoder(const Architecture& architecture, std::string_view device);

// What a model has that the CPU alone computes; empty if there is nothing.
std::string_view WhatNoGpuComputes(const Architecture& architecture);
// That error, of `what`.
Error NotComputed(std::string_view what, std::string_view device);

}  // namespace embedding
