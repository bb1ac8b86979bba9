#include "backends/cpu/x86_kernels.h"

#if defined(__x86_64__)

#include "backends/cpu/amx_tiles.h"
#include "backends/cpu/cpu_extensions.h"
#include "backends/cpu/tile_kernel.h"
#include "backends/cpu/x86_tiles.h"

namespace embedding {
namespace {

MicroKernel OfAmx(MicroKernel kernel) {
  kernel.release = ReleaseAmx;
  kernel.amx = true;
  return kernel;
}

}  // namespace

std::optional<MicroKernel> X86Int8Kernel() {
  if (MayUse(kX86Amx)) return OfAmx(TilesKernel(4, MultiplyInt8ByAmx));
  if (MayUse(kX86Avx512Vnni)) {
    return MicroKernel{.group = 4,
                       .width = kAvx512TileWidth,
                       .rows = kAvx512TileRows,
                       .multiply = MultiplyInt8Quads};
  }
  if (MayUse(kX86AvxVnni)) {
    return MicroKernel{.group = 4,
                       .width = kAvxVnniTileWidth,
                       .rows = kAvxVnniTileRows,
                       .multiply = MultiplyInt8QuadsByAvxVnni};
  }
  return std::nullopt;
}

std::optional<MicroKernel> X86Bf16Kernel() {
  if (MayUse(kX86Amx)) {
    MicroKernel kernel = OfAmx(TilesKernel(2, MultiplyBf16ByAmx));
    kernel.round = RoundToBf16ByAvx512;
    return kernel;
  }
  if (!MayUse(kX86Avx512Bf16)) return std::nullopt;
  return MicroKernel{.group = 2,
                     .width = kAvx512TileWidth,
                     .rows = kAvx512TileRows,
                     .multiply = MultiplyBf16Pairs,
                     .round = RoundToBf16ByAvx512};
}

std::optional<MicroKernel> X86F32SlicesKernel() {
  if (!MayUse(kX86Amx)) return std::nullopt;
  return OfAmx(SlicesKernel(MultiplyDigitsByAmx, MultiplySlicedByAmx));
}

}  // namespace embedding

#else

namespace embedding {

std::optional<MicroKernel> X86Int8Kernel() { return std::nullopt; }
std::optional<MicroKernel> X86Bf16Kernel() { return std::nullopt; }
std::optional<MicroKernel> X86F32SlicesKernel() { return std::nullopt; }

}  // namespace embedding

#endif
