#include "model/tensors.h"

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "model/files.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

std::string Below(std::string_view prefix, std::string_view name) {
  std::string path(prefix);
  if (!path.empty()) path += '.';
  return path.append(name);
}

// The tensors below a prefix of a file.
class Reader {
 public:
  Reader(const TensorStore& store, std::string prefix)
      : store_(store), prefix_(std::move(prefix)) {}

  Reader At(std::string_view name) const { return {store_, Below(prefix_, name)}; }

  bool Has(std::string_view name) const { return store_.Find(Below(prefix_, name)) != nullptr; }

  Result<TensorView> Tensor(std::string_view name, std::initializer_list<size_t> shape) const {
    std::vector<int64_t> expected;
    for (const size_t n : shape) expected.push_back(static_cast<int64_t>(n));
    return store_.Require(Below(prefix_, name), expected);
  }

  Result<TensorView> Table(std::string_view name, size_t rows, size_t columns) const {
    return At(name).Tensor("weight", {rows, columns});
  }

  Result<LinearTensors> Linear(std::string_view name, size_t in_features, size_t out_features,
                               bool has_bias = true) const {
    const Reader reader = name.empty() ? *this : At(name);
    LinearTensors linear{.name = reader.prefix_, .weight = {}, .bias = {}};
    ASSIGN_OR_RETURN(linear.weight, reader.Tensor("weight", {out_features, in_features}));
    if (!has_bias) return linear;
    ASSIGN_OR_RETURN(linear.bias, reader.Tensor("bias", {out_features}));
    return linear;
  }

  Result<NormTensors> Norm(std::string_view name, const embedding::Norm& norm, size_t size) const {
    const Reader reader = At(name);
    // Checkpoints converted from TensorFlow call the two gamma and beta.
    const bool old_names = reader.Has("gamma");
    NormTensors tensors;
    ASSIGN_OR_RETURN(tensors.weight, reader.Tensor(old_names ? "gamma" : "weight", {size}));
    if (!norm.has_bias()) return tensors;
    ASSIGN_OR_RETURN(tensors.bias, reader.Tensor(old_names ? "beta" : "bias", {size}));
    return tensors;
  }

 private:
  const TensorStore& store_;
  std::string prefix_;
};

// Below no prefix in a bare encoder's file, below the model's name where the checkpoint has a head
// on top.
Reader EncoderReader(const TensorStore& weights, const EncoderTensorNames& names) {
  for (const std::string_view prefix : {"", "bert", "roberta"}) {
    Reader reader(weights, std::string(prefix));
    if (reader.At(names.word_embeddings).Has("weight")) return reader;
  }
  return {weights, ""};
}

Result<LayerTensors> ReadLayer(const Reader& reader, const EncoderTensorNames& names,
                               const Layer& layer, size_t hidden) {
  const size_t width = layer.attention.width();
  const size_t wide = layer.feed_forward.width;
  LayerTensors tensors;
  ASSIGN_OR_RETURN(tensors.query, reader.Linear(names.query, hidden, width));
  ASSIGN_OR_RETURN(tensors.key, reader.Linear(names.key, hidden, width));
  ASSIGN_OR_RETURN(tensors.value, reader.Linear(names.value, hidden, width));
  ASSIGN_OR_RETURN(tensors.attention_output, reader.Linear(names.attention_output, width, hidden));
  ASSIGN_OR_RETURN(tensors.attention_norms.output,
                   reader.Norm(names.attention_norm, *layer.attention_norms.output, hidden));
  FeedForwardTensors& feed_forward = tensors.feed_forward.emplace_back();
  ASSIGN_OR_RETURN(feed_forward.intermediate, reader.Linear(names.intermediate, hidden, wide));
  ASSIGN_OR_RETURN(feed_forward.output, reader.Linear(names.output, wide, hidden));
  ASSIGN_OR_RETURN(tensors.feed_forward_norms.output,
                   reader.Norm(names.output_norm, *layer.feed_forward_norms.output, hidden));
  return tensors;
}

Result<EncoderTensors> ReadEncoder(const TensorStore& weights, const EncoderTensorNames& names,
                                   const Encoder& encoder) {
  const Reader reader = EncoderReader(weights, names);
  const size_t hidden = encoder.hidden_size;
  EncoderTensors tensors;
  ASSIGN_OR_RETURN(tensors.word_embeddings,
                   reader.Table(names.word_embeddings, encoder.vocab_size, hidden));
  ASSIGN_OR_RETURN(tensors.position_embeddings,
                   reader.Table(names.position_embeddings, encoder.positions.count, hidden));
  ASSIGN_OR_RETURN(tensors.token_type_embeddings,
                   reader.Table(names.token_type_embeddings, encoder.token_types, hidden));
  ASSIGN_OR_RETURN(tensors.embeddings_norm,
                   reader.Norm(names.embeddings_norm, *encoder.embeddings_norm, hidden));
  const Reader layers = reader.At(names.layers);
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    ASSIGN_OR_RETURN(LayerTensors layer,
                     ReadLayer(layers.At(std::to_string(i)), names, encoder.layers[i], hidden));
    tensors.layers.push_back(std::move(layer));
  }
  return tensors;
}

Result<SpladeTensors> ReadSplade(const TensorStore& weights, const Encoder& encoder,
                                 const Norm& norm) {
  const size_t hidden = encoder.hidden_size;
  const Reader reader(weights, "cls.predictions");
  SpladeTensors splade;
  ASSIGN_OR_RETURN(splade.transform, reader.Linear("transform.dense", hidden, hidden));
  ASSIGN_OR_RETURN(splade.norm, reader.Norm("transform.LayerNorm", norm, hidden));
  // The decoder's weight is the embedding table, of which files need not have a copy.
  splade.decoder.name = "cls.predictions.decoder";
  const bool tied = !reader.Has("decoder.weight");
  ASSIGN_OR_RETURN(
      splade.decoder.weight,
      tied ? Reader(weights, "bert").Table("embeddings.word_embeddings", encoder.vocab_size, hidden)
           : reader.Table("decoder", encoder.vocab_size, hidden));
  // Both names are one tensor in transformers, of which files have either; the decoder's is used.
  ASSIGN_OR_RETURN(
      splade.decoder.bias,
      reader.Tensor(reader.Has("decoder.bias") ? "decoder.bias" : "bias", {encoder.vocab_size}));
  return splade;
}

Result<LinearTensors> ReadDense(const DenseModule& module, std::vector<TensorStore>& files) {
  ASSIGN_OR_RETURN(TensorStore store, TensorStore::OpenDirectory(module.directory));
  ASSIGN_OR_RETURN(
      LinearTensors linear,
      Reader(store, "").Linear("linear", module.in_features, module.out_features, module.bias));
  files.push_back(std::move(store));
  return linear;
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
                   Reader(store, "").Linear("", in_features, out_features.value_or(rows)));
  files.push_back(std::move(store));
  return linear;
}

Status ReadHeads(const ModelSpec& spec, const TensorStore& weights, Tensors& tensors) {
  const Heads& heads = spec.heads();
  const size_t hidden = spec.encoder().hidden_size;
  HeadTensors& to = tensors.heads;
  if (heads.classifier) {
    const ClassifierTensorNames& names = spec.family->classifier;
    const Reader reader(weights, "");
    ClassifierTensors& classifier = to.classifier.emplace();
    ASSIGN_OR_RETURN(classifier.dense, reader.Linear(names.dense, hidden, hidden));
    ASSIGN_OR_RETURN(classifier.output,
                     reader.Linear(names.output, hidden, heads.classifier->labels));
  }
  if (heads.pooled) {
    for (const DenseModule& module : heads.pooled->dense) {
      auto dense = ReadDense(module, tensors.head_files);
      if (!dense.ok()) {
        return std::move(dense).error().At(fs::path(module.directory).filename().string());
      }
      to.dense.push_back(*std::move(dense));
    }
  }
  if (heads.splade) {
    ASSIGN_OR_RETURN(to.splade, ReadSplade(weights, spec.encoder(), heads.splade->norm));
  }
  if (heads.token_weights) {
    ASSIGN_OR_RETURN(to.token_weights,
                     ReadFile(spec.directory, kSparseFile, hidden, 1, tensors.head_files));
  }
  if (heads.token_vectors) {
    ASSIGN_OR_RETURN(to.token_vectors, ReadFile(spec.directory, kColbertFile, hidden, std::nullopt,
                                                tensors.head_files));
  }
  return {};
}

}  // namespace

Result<Tensors> ReadTensors(const ModelSpec& spec, const TensorStore& weights) {
  Tensors tensors;
  ASSIGN_OR_RETURN(tensors.encoder, ReadEncoder(weights, *spec.family->encoder, spec.encoder()));
  RETURN_IF_ERROR(ReadHeads(spec, weights, tensors));
  return tensors;
}

}  // namespace embedding
