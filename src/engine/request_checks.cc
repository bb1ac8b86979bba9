#include "engine/request_checks.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "engine/table_checks.h"
#include "model/files.h"

namespace embedding {
namespace {

Error Invalid(std::string field, std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), std::move(field)};
}

}  // namespace

Status CheckRequest(const EmbedRequest& request, const ModelInfo& info, const ModelSpec& spec,
                    const Tokenizer& tokenizer) {
  if (request.size() == 0) return Error{ErrorCode::kEmpty, "no texts were given", "texts"};
  const bool has_pairs = !request.text_pairs.empty();
  if (has_pairs && request.text_pairs.size() != request.texts.size()) {
    return Invalid("text_pairs", fmt::format("text_pairs has {} texts for {} texts",
                                             request.text_pairs.size(), request.texts.size()));
  }
  if (!request.input_ids.empty() && (!request.texts.empty() || has_pairs || request.query)) {
    return Invalid("input_ids", "input_ids stand in place of texts, pairs and query");
  }
  if (request.query && has_pairs) {
    return Invalid("query", "a query stands in place of text_pairs");
  }
  const Outputs& outputs = request.outputs;
  const auto unsupported = [&](std::string_view what) {
    return Error{ErrorCode::kUnsupported, fmt::format("model {} {}", info.name, what), ""};
  };
  if (info.is_classifier()) {
    if (outputs.dense || outputs.lexical_weights || outputs.colbert_vecs ||
        outputs.token_embeddings) {
      return unsupported("is a classifier and has no embeddings; ask it to rerank or predict");
    }
  } else {
    if (outputs.logits) return unsupported("is no classifier");
    if (!info.has_dense() && (outputs.dense || outputs.token_embeddings)) {
      return unsupported(
          "has no dense vectors for these texts, but weights of their tokens; ask for sparse ones");
    }
    if (outputs.lexical_weights && !info.has_sparse) {
      return unsupported(fmt::format("has no sparse head: its directory has no {}", kSparseFile));
    }
    if (outputs.colbert_vecs && !info.has_colbert) {
      return unsupported(fmt::format("has no ColBERT head: its directory has no {}", kColbertFile));
    }
  }
  if (has_pairs || request.query) {
    if (const Status pairs = CheckTablesForPairs(tokenizer, spec); !pairs.ok()) {
      return unsupported(fmt::format("takes no pairs: {}", pairs.error().message));
    }
  }
  if (outputs.dense && request.dimensions &&
      (*request.dimensions < 1 || *request.dimensions > info.max_dimension)) {
    return Invalid("dimensions", fmt::format("dimensions is {}; {} has 1 to {}",
                                             *request.dimensions, info.name, info.max_dimension));
  }
  return {};
}

}  // namespace embedding
