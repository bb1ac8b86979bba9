// CudaHeads: what a model's heads make of the last hidden states, on a GPU of NVIDIA's. Only what
// was asked for comes to the host's memory.
//
// Not thread-safe: the session owns it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/cuda/cuda_compute.h"
#include "backends/cuda/cuda_vector_head.h"
#include "model/heads.h"
#include "model/tensors.h"

namespace embedding {

class CudaHeads {
 public:
  // Heads compute in f32, whatever the encoder does: they are few, and what is returned is f32.
  // `compute` must outlive them. Errors: kOutOfMemory, kInternal.
  static Result<std::unique_ptr<CudaHeads>> Load(CudaCompute& compute, const Heads& heads,
                                                 const HeadTensors& tensors);

  // Gives back the memory that batches take, when nothing is being computed.
  void FreeBuffers();

  // Sets what the heads give of `outputs`, once all that was begun has been computed; the views are
  // valid until the next call.
  Status Run(const Batch& batch, const CudaHiddenStates& hidden, BatchOutputs& outputs);

 private:
  // Numbers of hidden states' rows that stand side by side in `rows_`.
  struct RowList {
    size_t place = 0;
    size_t count = 0;   // of rows
    size_t padded = 0;  // to a number of rows that products have plans for
  };
  // What is computed, and who receives it when it is in the host's memory.
  struct Pending {
    CudaPointer numbers = 0;
    size_t count = 0;
    std::function<void(std::span<const float> numbers)> receive;
  };

  // Tokens whose logits of a whole vocabulary exist at a time: 256 x 30,522 floats are 31 MB.
  static constexpr size_t kSpladeTokens = 256;

  CudaHeads(CudaCompute& compute, const Heads& heads);

  RowList AddRows(size_t begin, size_t count);
  RowList AddRowsOfWanted(const Batch& batch, const CudaHiddenStates& hidden, bool Outputs::*wants);
  Status ReserveGathered();
  Status GatherRows(const CudaHiddenStates& hidden, const RowList& rows, CudaBuffer& to);
  Status ReturnTokens(const Batch& batch, const CudaHiddenStates& hidden, BatchOutputs& outputs);
  Status MakeVectors(CudaVectorHead& head, const Batch& batch, const CudaHiddenStates& hidden,
                     BatchOutputs& outputs);
  Status WeighTokens(const Batch& batch, const CudaHiddenStates& hidden, BatchOutputs& outputs);
  Status MakeTokenVectors(const Batch& batch, const CudaHiddenStates& hidden,
                          BatchOutputs& outputs);
  Status WeighVocabulary(const Batch& batch, const CudaHiddenStates& hidden, BatchOutputs& outputs);
  Status ReturnResults();

  CudaCompute& compute_;
  const Heads heads_;
  const size_t hidden_size_;
  std::vector<std::unique_ptr<CudaVectorHead>> vector_heads_;
  std::optional<CudaLinear> token_weights_;
  std::optional<CudaLinear> token_vectors_;
  std::optional<CudaLinear> splade_transform_;
  std::optional<CudaNorm> splade_norm_;
  std::optional<CudaLinear> splade_decoder_;

  // Of the batch that is computed: what the kernels read, what they write, and what comes back.
  std::vector<int32_t> rows_;
  std::optional<RowList> token_rows_;
  std::optional<RowList> weight_rows_;
  std::optional<RowList> vector_rows_;
  std::vector<std::vector<RowList>> splade_rows_;  // [sequences][chunks]
  CudaBuffer device_rows_;
  CudaBuffer tokens_;
  CudaBuffer gathered_;
  CudaBuffer weights_;
  CudaBuffer vectors_;
  CudaBuffer transformed_;
  CudaBuffer logits_;
  CudaBuffer vocabulary_;
  std::vector<Pending> pending_;
  CudaBuffer results_;
};

}  // namespace embedding
