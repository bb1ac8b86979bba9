// The modules of sentence-transformers that follow the pooling: their own config.json, read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/heads.h"

namespace embedding {

// Whether a module of this kind is one of them: "Dense", "LayerNorm", "Normalize".
bool IsVectorModule(std::string_view kind);

struct NamedModule {
  VectorModule module;
  bool of_tokens = false;  // of every token's vector, not of the text's
  // Whether what comes out of it are a cross-encoder's scores, no vector.
  bool gives_scores = false;
};

// The module of that kind in `directory`, into which vectors of `dimension` numbers go. Errors:
// kModelLoad, naming file and field, for what is malformed, for sizes that do not fit, for an
// activation function that is unknown and for inputs and outputs by other names.
Result<NamedModule> ReadVectorModule(std::string_view kind, const std::string& directory,
                                     size_t dimension);

}  // namespace embedding
