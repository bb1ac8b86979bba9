// What a model's heads make of each sequence by pooling, a vector or logits, in one form: what the
// backends for GPUs compute.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "model/heads.h"
#include "model/tensors.h"

namespace embedding {

struct VectorHead {
  PooledVector vector;
  std::vector<ModuleTensors> modules;
  std::vector<ModuleTensors> token_modules;
  std::optional<int32_t> padding_id;  // as Classifier has it
  bool Outputs::*wants = nullptr;
  std::span<const float> SequenceOutputs::*output = nullptr;
};

// A classifier's layers are modules here, before the pooling or behind it.
std::vector<VectorHead> VectorHeadsOf(const Heads& heads, const HeadTensors& tensors);

// Of a sequence the rows of hidden states; those before `first` are not pooled. Kernels read it.
struct PooledRows {
  int32_t begin = 0;
  int32_t first = 0;
  int32_t end = 0;

  bool operator==(const PooledRows&) const = default;
};

// [sequences], where the rows [begins[s], begins[s + 1]) are those that WantedTokens kept of s.
std::vector<PooledRows> RowsToPool(const VectorHead& head, const Batch& batch,
                                   std::span<const uint32_t> begins);

}  // namespace embedding
