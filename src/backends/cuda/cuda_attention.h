// CudaAttention: what an encoder's layers do between the product that gives q, k and v and the one
// that takes the context, on a GPU of NVIDIA's.
//
// Not thread-safe: the encoder owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backends/cuda/attention_tiles.h"
#include "backends/cuda/cuda_compute.h"
#include "backends/cuda/cuda_encoder_weights.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

class CudaAttention {
 public:
  // `compute` must outlive it. Errors: kOutOfMemory, kInternal.
  static Result<std::unique_ptr<CudaAttention>> Load(CudaCompute& compute, const Encoder& encoder,
                                                     const EncoderTensors& tensors);

  // Room for a batch of so many rows. Whether there was enough already; else what was recorded has
  // other addresses.
  Result<bool> Reserve(size_t rows);
  void FreeBuffers();

  // Which queries each block computes, of a batch: how many blocks at most for any layer, of so
  // many warps each. CopyTiles writes them, `count` or more for each size of heads, [head_sizes(),
  // count].
  size_t MakeTiles(std::span<const uint32_t> offsets, size_t warps);
  size_t head_sizes() const { return sizes_.size(); }
  void CopyTiles(AttentionTile* to, size_t count) const;

  // As CopyTiles wrote them, on the device.
  struct Tiles {
    CudaPointer first = 0;
    size_t count = 0;
    size_t warps = 0;
  };

  // These begin to compute, of a batch of so many rows. How far each token's heads are turned:
  // `places` are [rows], each token's place in its sequence.
  Status Turn(CudaPointer places, size_t rows) const;
  // Of qkv, [rows, qkv_width], which is overwritten, the contexts, [rows, width].
  Status Attend(size_t layer, const CudaLayerWeights& weights, CudaPointer qkv, size_t rows,
                const Tiles& tiles, CudaPointer context);

 private:
  // The layers that rotate alike share their turns.
  struct SharedRope {
    Rope rope;
    CudaBuffer frequencies;  // [pairs]
    CudaBuffer turns;        // [rows, pairs] of a cosine and a sine
  };

  // The layers whose heads have one size.
  struct HeadSize {
    const CudaKernels* kernels = nullptr;
    std::unique_ptr<CudaKernels> own;  // where they are not CudaCompute's
    std::vector<AttentionTile> tiles;
  };

  CudaAttention(CudaCompute& compute, const Encoder& encoder)
      : compute_(compute),
        encoder_(encoder),
        bias_(compute.DeviceBuffer()),
        places_(compute.DeviceBuffer()),
        of_queries_(compute.DeviceBuffer()),
        of_keys_(compute.DeviceBuffer()) {}
  Status LoadHeadSizes();
  Status LoadRopes();
  Status LoadBias(const TensorView& by_bucket);
  Status LoadPlaces(const Disentangled& disentangled);
  Status PrepareHeads(size_t layer, const CudaHeadNorms& norms, CudaPointer qkv, size_t rows) const;
  // The products of each head's queries, or keys, with the positions' `keys`, or queries.
  Status MultiplyPositions(const Attention& attention, const CudaBuffer& positions, CudaPointer qkv,
                           size_t column, size_t rows, CudaBuffer& to);

  CudaCompute& compute_;
  const Encoder& encoder_;
  std::vector<HeadSize> sizes_;
  std::vector<size_t> size_of_layer_;  // [layers]
  std::vector<SharedRope> ropes_;
  std::vector<size_t> rope_of_layer_;  // [layers]; where there is none, ropes_.size()
  CudaBuffer bias_;                    // [heads, 2 * relative_distance + 1], for exponents of 2
  // Of Disentangled: the position of each distance, from -reach_ to reach_, which farther ones
  // share; and the batch's products with the positions, [rows, heads, positions].
  size_t reach_ = 0;
  CudaBuffer places_;
  CudaBuffer of_queries_;
  CudaBuffer of_keys_;
};

// What a model's kernels are compiled for; its heads' size is that of the first layer.
KernelOptions KernelOptionsOf(const Encoder& encoder, ComputeType type);

}  // namespace embedding
