// SentenceHead: from an encoder's hidden states to the dense vectors of a batch: pooling, then the
// model's Dense modules. Normalising is left to the request.
// Not thread-safe: the computing thread owns it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "base/aligned_buffer.h"
#include "base/result.h"
#include "model/model_spec.h"

namespace embedding {

class SentenceHead {
 public:
  // Reads the Dense modules' weights. Errors: kModelLoad naming file and tensor.
  static Result<SentenceHead> Make(const ModelSpec& spec, Backend& backend);

  // Whether hidden states of sequences' first tokens are all that Run looks at.
  bool reads_first_tokens_only() const {
    return pooling_.size() == 1 && pooling_[0] == Pooling::kCls;
  }

  // hidden is [tokens, hidden_size] of the whole batch, offsets [sequences + 1]. The result,
  // [sequences, dimension], is valid until the next call.
  std::span<const float> Run(std::span<const float> hidden, std::span<const uint32_t> offsets);

 private:
  struct Layer {
    std::unique_ptr<LinearLayer> linear;
    size_t out_features;
  };

  size_t hidden_size_ = 0;
  std::vector<Pooling> pooling_;
  std::vector<Layer> dense_;
  AlignedBuffer<float> input_;   // [sequences, features]
  AlignedBuffer<float> output_;  // [sequences, features]
};

}  // namespace embedding
