// CudaAttention: what an encoder's layers do between the product that gives q, k and v and the one
// that takes the context, on a GPU of NVIDIA's.
//
// Not thread-safe: the encoder owns it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

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

  // The numbers for a batch of so many rows, which its launches have at `turns()`. Whether there
  // was room already; else what was recorded has other addresses.
  Result<bool> Reserve(size_t rows);
  void FreeBuffers();

  // These begin to compute, of a batch of so many rows. How far each token's heads are turned:
  // `places` are [rows], each token's place in its sequence.
  Status Turn(CudaPointer places, size_t rows) const;
  // In place: qkv, [rows, qkv_width].
  Status PrepareHeads(size_t layer, const CudaHeadNorms& norms, CudaPointer qkv, size_t rows) const;
  // Of what PrepareHeads has prepared, into `context`, [rows, width]. The tiles are
  // [tiles, AttentionTile], of so many warps each.
  Status Attend(size_t layer, CudaPointer qkv, CudaPointer tiles, size_t tile_count, size_t warps,
                CudaPointer context) const;

 private:
  // The layers that rotate alike share their turns.
  struct SharedRope {
    Rope rope;
    CudaBuffer frequencies;  // [pairs]
    CudaBuffer turns;        // [rows, pairs] of a cosine and a sine
  };

  CudaAttention(CudaCompute& compute, const Encoder& encoder)
      : compute_(compute), encoder_(encoder), bias_(compute.DeviceBuffer()) {}
  Status LoadRopes();
  Status LoadBias(const TensorView& by_bucket);

  CudaCompute& compute_;
  const Encoder& encoder_;
  std::vector<SharedRope> ropes_;
  std::vector<size_t> rope_of_layer_;  // [layers]; where there is none, ropes_.size()
  CudaBuffer bias_;                    // [heads, 2 * relative_distance + 1], for exponents of 2
};

// From which distance on keys share their bias: KernelOptions::relative_distance.
size_t RelativeDistanceOf(const Encoder& encoder);

}  // namespace embedding
