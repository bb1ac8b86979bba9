#include "model/head_tensors.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/files.h"
#include "model/module_tensors.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

Result<ClassifierTensors> ReadClassifier(const TensorReader& reader, const TensorReader& encoder,
                                         const ClassifierTensorNames& names,
                                         const Classifier& classifier, size_t hidden) {
  ClassifierTensors tensors;
  if (classifier.dense) {
    const TensorReader& owner = names.dense_is_encoders ? encoder : reader;
    ASSIGN_OR_RETURN(tensors.dense,
                     owner.Linear(names.dense, hidden, hidden, classifier.dense_bias));
  }
  ASSIGN_OR_RETURN(tensors.norm, reader.Norm(names.norm, classifier.norm, hidden));
  ASSIGN_OR_RETURN(tensors.output,
                   reader.Linear(names.output, hidden, classifier.labels, classifier.output_bias));
  return tensors;
}

// A Linear whose only output is a logit, or the difference of two.
Result<LinearTensors> ReadLogitScore(const TensorReader& reader, std::string_view name,
                                     const ModelSpec::LogitScore& score, const Encoder& encoder,
                                     const TensorView& word_embeddings) {
  const size_t hidden = encoder.hidden_size;
  TensorView table = word_embeddings;
  if (reader.HasWeight(name)) {
    ASSIGN_OR_RETURN(table, reader.Table(name, encoder.vocab_size, hidden));
  } else if (encoder.embedding_size != hidden) {
    return ModelError("there is no {}.weight", name);
  }
  std::vector<float> weight(hidden);
  CopyRowsToF32(table, score.true_token, 1, weight);
  if (score.false_token) {
    std::vector<float> subtracted(hidden);
    CopyRowsToF32(table, *score.false_token, 1, subtracted);
    for (size_t i = 0; i < hidden; ++i) weight[i] -= subtracted[i];
  }
  return LinearTensors{.name = std::string(name),
                       .weight = MakeTensor({1, static_cast<int64_t>(hidden)}, weight),
                       .bias = {}};
}

Result<SpladeTensors> ReadSplade(const TensorReader& reader, const MaskedLanguageTensorNames& names,
                                 const Splade& splade, const Encoder& encoder,
                                 const TensorView& word_embeddings) {
  const size_t hidden = encoder.hidden_size;
  SpladeTensors tensors;
  ASSIGN_OR_RETURN(tensors.transform,
                   reader.Linear(names.transform, hidden, hidden, splade.transform_bias));
  ASSIGN_OR_RETURN(tensors.norm, reader.Norm(names.norm, splade.norm, hidden));
  // Of which files need not have a copy: the decoder's weight is the embedding table.
  const TensorReader decoder = reader.At(names.decoder);
  tensors.decoder.name = decoder.prefix();
  tensors.decoder.weight = word_embeddings;
  if (reader.HasWeight(names.decoder)) {
    ASSIGN_OR_RETURN(tensors.decoder.weight,
                     reader.Table(names.decoder, encoder.vocab_size, hidden));
  }
  if (!splade.decoder_bias) return tensors;
  // Both names are one tensor in transformers, of which files have either; the decoder's is used.
  const bool own = names.bias.empty() || decoder.Has("bias");
  ASSIGN_OR_RETURN(tensors.decoder.bias, own ? decoder.Tensor("bias", {encoder.vocab_size})
                                             : reader.Tensor(names.bias, {encoder.vocab_size}));
  return tensors;
}

// A torch.nn.Linear saved by itself, of as many features as it has rows if `out_features` is empty.
Result<LinearTensors> ReadFile(const std::string& directory, const char* file, size_t in_features,
                               std::optional<size_t> out_features,
                               std::vector<TensorStore>& files) {
  ASSIGN_OR_RETURN(TensorStore store, TensorStore::OpenFile((fs::path(directory) / file).string()));
  const TensorView* weight = store.Find("weight");
  const bool has_rows = weight != nullptr && !weight->shape.empty() && weight->shape[0] > 0;
  const size_t rows = has_rows ? static_cast<size_t>(weight->shape[0]) : in_features;
  ASSIGN_OR_RETURN(LinearTensors linear,
                   TensorReader(store, "").Linear("", in_features, out_features.value_or(rows)));
  files.push_back(std::move(store));
  return linear;
}

}  // namespace

Status ReadHeadTensors(const ModelSpec& spec, const TensorStore& weights,
                       const TensorReader& encoder, Tensors& tensors) {
  const Heads& heads = spec.heads();
  const Family& family = *spec.family;
  const size_t hidden = spec.encoder().hidden_size;
  const TensorReader reader(weights, "");
  HeadTensors& to = tensors.heads;
  if (spec.logit_score) {
    ASSIGN_OR_RETURN(LinearTensors output,
                     ReadLogitScore(reader, family.language_model, *spec.logit_score,
                                    spec.encoder(), tensors.encoder.word_embeddings));
    to.classifier = ClassifierTensors{.dense = {}, .norm = {}, .output = std::move(output)};
  } else if (heads.classifier) {
    ASSIGN_OR_RETURN(to.classifier, ReadClassifier(reader, encoder, family.classifier.tensors,
                                                   *heads.classifier, hidden));
  }
  RETURN_IF_ERROR(ReadModuleTensors(spec, &encoder, tensors));
  if (heads.splade) {
    ASSIGN_OR_RETURN(to.splade, ReadSplade(reader, family.masked_language.tensors, *heads.splade,
                                           spec.encoder(), tensors.encoder.word_embeddings));
  }
  if (heads.token_weights && spec.token_weights_in_checkpoint) {
    ASSIGN_OR_RETURN(to.token_weights, reader.Linear(family.token_weights, hidden, 1));
  } else if (heads.token_weights) {
    ASSIGN_OR_RETURN(to.token_weights,
                     ReadFile(spec.directory, kSparseFile, hidden, 1, tensors.head_files));
  }
  if (heads.token_vectors) {
    ASSIGN_OR_RETURN(to.token_vectors, ReadFile(spec.directory, kColbertFile, hidden, std::nullopt,
                                                tensors.head_files));
  }
  return {};
}

}  // namespace embedding
