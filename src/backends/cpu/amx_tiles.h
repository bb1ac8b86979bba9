// Kernels that multiply tiles by AMX: as tile_kernel.h describes them. For processors with kX86Amx
// (cpu_extensions.h), on x86-64 alone.
#pragma once

#include "backends/cpu/panel_tile.h"
#include "backends/cpu/sliced_tile.h"

namespace embedding {

// Subnormal numbers count as 0, the sums' too.
void MultiplyBf16ByAmx(const PanelTile& tile);
// Unsigned bytes by signed ones.
void MultiplyInt8ByAmx(const PanelTile& tile);
// Signed bytes by signed ones.
void MultiplyDigitsByAmx(const PanelTile& tile);
void MultiplySlicedByAmx(const SlicedTile& tile);

// Gives up what the calling thread's tiles hold, and how they are configured: the system would keep
// it for the thread, and something else may configure them otherwise before they are used again.
void ReleaseAmx();

}  // namespace embedding
