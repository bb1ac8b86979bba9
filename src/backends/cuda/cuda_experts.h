// A mixture of feed-forwards, Experts of model/architecture.h, on a GPU of NVIDIA's: the host
// chooses the experts, by the logits that a router gives.
//
// Not thread-safe: the encoder owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "backends/cuda/cuda_compute.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

struct CudaExpertsWeights {
  struct Expert {
    CudaLinear intermediate;  // the gate's features first, where it is gated
    CudaLinear output;
  };

  CudaLinear router;
  std::vector<Expert> experts;
  CudaBuffer bias;  // empty where there is none
};

Result<CudaExpertsWeights> LoadExperts(CudaCompute& compute, const LayerTensors& tensors);

class CudaExperts {
 public:
  explicit CudaExperts(CudaCompute& compute);

  // to = what the experts make of x, or added + that, where `added` is not 0: [rows, hidden_size].
  // Waits for the router, so that it cannot be recorded.
  Status Run(const FeedForward& feed_forward, const CudaExpertsWeights& weights, CudaPointer x,
             size_t rows, CudaPointer added, CudaPointer to);
  void FreeBuffers();

 private:
  // The rows of one expert among those of all, each expert's filled up.
  struct Group {
    size_t expert = 0;
    size_t first = 0;
    size_t rows = 0;
  };

  // Reads the router's logits of x, and says which rows each expert gets.
  Status Choose(const Experts& experts, const CudaExpertsWeights& weights, CudaPointer x,
                size_t rows);

  CudaCompute& compute_;
  CudaBuffer logits_;
  CudaBuffer logits_f32_;
  CudaBuffer indices_;
  CudaBuffer gathered_;
  CudaBuffer inner_;
  CudaBuffer gated_;
  CudaBuffer outputs_;
  std::vector<float> host_logits_;
  std::vector<Group> groups_;
  // What the kernels read: `rows_` of x that the groups take, and of each of x's rows the places of
  // its outputs and their weights, [rows, chosen].
  std::vector<int32_t> rows_;
  std::vector<int32_t> places_;
  std::vector<float> weights_;
};

}  // namespace embedding
