#include "engine/sentence_head.h"

#include <filesystem>
#include <string>
#include <utility>

#include "engine/linear_weights.h"
#include "engine/pooling.h"
#include "weights/tensor_store.h"

namespace embedding {
namespace {

Result<std::unique_ptr<LinearLayer>> LoadDense(const DenseModuleConfig& config, Backend& backend) {
  ASSIGN_OR_RETURN(const TensorStore store, TensorStore::OpenDirectory(config.directory));
  return LoadLinear(store, "linear.", config.in_features, config.out_features, config.bias,
                    config.activation, backend);
}

}  // namespace

Result<SentenceHead> SentenceHead::Make(const ModelSpec& spec, Backend& backend) {
  SentenceHead head;
  head.hidden_size_ = spec.encoder.hidden_size;
  head.pooling_ = spec.pooling;
  for (const DenseModuleConfig& config : spec.dense) {
    auto linear = LoadDense(config, backend);
    if (!linear.ok()) {
      const std::string name = std::filesystem::path(config.directory).filename().string();
      return std::move(linear).error().At(name);
    }
    head.dense_.push_back({*std::move(linear), config.out_features});
  }
  return head;
}

std::span<const float> SentenceHead::Run(std::span<const float> hidden,
                                         std::span<const uint32_t> offsets) {
  const size_t sequences = offsets.size() - 1;
  const size_t pooled_size = pooling_.size() * hidden_size_;
  output_.Resize(sequences * pooled_size);
  for (size_t s = 0; s < sequences; ++s) {
    const auto tokens =
        hidden.subspan(offsets[s] * hidden_size_, (offsets[s + 1] - offsets[s]) * hidden_size_);
    for (size_t p = 0; p < pooling_.size(); ++p) {
      Pool(pooling_[p], tokens, hidden_size_,
           output_.span().subspan(s * pooled_size + p * hidden_size_, hidden_size_));
    }
  }
  for (Layer& layer : dense_) {
    std::swap(input_, output_);
    output_.Resize(sequences * layer.out_features);
    layer.linear->Apply(sequences, input_.span(), output_.span());
  }
  return output_.span();
}

}  // namespace embedding
