// What a loaded model is, for those who ask it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "embedding/similarity.h"

namespace embedding {

struct ModelInfo {
  std::string name;
  std::string device;   // "cpu"; "cuda:0, cuda:1" of several
  size_t replicas = 1;  // that compute at the same time
  std::string dtype;    // "f32"
  // What its matrix products multiply: the dtype, or "int8 slices", three bytes for each f32
  // number.
  std::string products = {};
  size_t dimension = 0;         // floats of a dense vector; 0 where there is none
  size_t max_dimension = 0;     // what a request may ask for: more, where the model says fewer
  size_t max_input_tokens = 0;  // special tokens included
  size_t max_batch_tokens = 0;  // that are computed together
  // Heads that the model has besides the dense one, or without it.
  bool has_sparse = false;
  bool has_colbert = false;
  size_t colbert_dimension = 0;  // floats of each of its vectors
  // Of a classifier (a cross-encoder, say), which has no vectors: the names of its logits.
  std::vector<std::string> labels = {};
  std::vector<std::string> prompt_names = {};  // what EmbedRequest::prompt_name may be
  // Those of them by which a text takes another way through the model, where there are several.
  std::vector<std::string> routes = {};
  std::string pooling = {};  // "cls", or modes joined by '+', or "splade"
  // How its vectors are compared, and whether they are of length 1 by themselves.
  Similarity similarity = Similarity::kCosine;
  bool normalizes = false;
  std::vector<size_t> matryoshka_dimensions = {};  // which it was trained to be cut to
  // What was taken for granted when the model was loaded, or put right: a sentence each.
  std::vector<std::string> warnings = {};
  std::string family = {};    // "bert", as config.json's model_type, or "static"
  uint64_t parameters = 0;    // numbers that the weights have, and the bytes that they take
  uint64_t weight_bytes = 0;  // in the model's files
  int64_t modified = 0;       // when config.json was, in seconds since 1970
  std::string digest = {};    // EmbedderOptions::model_digest

  bool is_classifier() const { return !labels.empty(); }
  bool has_dense() const { return max_dimension > 0; }
  // What a request for which any route will do has as its prompt_name: one may be needed.
  std::optional<std::string> any_route() const {
    return routes.empty() ? std::nullopt : std::optional(routes.front());
  }
};

}  // namespace embedding
