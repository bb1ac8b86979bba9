// bge-m3's heads over every token, as FlagEmbedding computes them: lexical weights (sparse) and
// ColBERT vectors. Their weights lie beside the model, in sparse_linear.pt and colbert_linear.pt.
// Not thread-safe: the computing thread owns them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "base/aligned_buffer.h"
#include "base/result.h"
#include "engine/request.h"
#include "text/tokenizer.h"

namespace embedding {

inline constexpr char kSparseFile[] = "sparse_linear.pt";
inline constexpr char kColbertFile[] = "colbert_linear.pt";

// A token's weight is relu(W h + b). <s>, </s>, <pad> and <unk> have none.
class SparseHead {
 public:
  // Nothing where the model has no such file. Errors: kModelLoad naming file and tensor.
  static Result<std::optional<SparseHead>> Load(const std::string& directory, size_t hidden_size,
                                                const Tokenizer& tokenizer, Backend& backend);

  // hidden is [tokens, hidden_size]; a weight for each token, valid until the next call.
  std::span<const float> Run(std::span<const float> hidden);

  // A sequence's ids with weights above 0, each once with its largest weight, in order of first
  // appearance.
  std::vector<TokenWeight> Weights(std::span<const int32_t> input_ids,
                                   std::span<const float> weights) const;

 private:
  std::unique_ptr<LinearLayer> linear_;
  size_t hidden_size_ = 0;
  std::vector<int32_t> unused_ids_;
  AlignedBuffer<float> weights_;
};

// A token's vector is (W h + b) divided by its L2 norm.
class ColbertHead {
 public:
  static Result<std::optional<ColbertHead>> Load(const std::string& directory, size_t hidden_size,
                                                 Backend& backend);

  // hidden is [tokens, hidden_size]; the result, [tokens, dimension()], is valid until the next
  // call. A sequence's first token has a vector too, which is to be left out.
  std::span<const float> Run(std::span<const float> hidden);
  size_t dimension() const { return dimension_; }

 private:
  std::unique_ptr<LinearLayer> linear_;
  size_t hidden_size_ = 0;
  size_t dimension_ = 0;
  AlignedBuffer<float> vectors_;
};

}  // namespace embedding
