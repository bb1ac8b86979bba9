// AMX's tiles without AMX, after the definitions in Intel's manual (volume 2, TDPBF16PS, TDPBUSD,
// TDPBSSD), for tests on every processor of what is around them.
#pragma once

#include "backends/cpu/panel_tile.h"
#include "backends/cpu/sliced_tile.h"

namespace embedding {

// As those of amx_tiles.h, but that subnormal numbers count.
void MultiplyBf16ByPortableTiles(const PanelTile& tile);
void MultiplyInt8ByPortableTiles(const PanelTile& tile);
void MultiplyDigitsByPortableTiles(const PanelTile& tile);
void MultiplySlicedByPortableTiles(const SlicedTile& tile);
// Also forgets what the tiles hold, and how they are configured.
void ReleasePortableTiles();

}  // namespace embedding
