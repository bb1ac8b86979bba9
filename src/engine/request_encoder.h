// RequestEncoder: what a request asks for as the token ids that are computed.
//
// Thread-safety: immutable; any number of threads may encode at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "embedding/model_info.h"
#include "embedding/request.h"
#include "engine/prompted_tokenizer.h"
#include "engine/scheduler.h"
#include "model/model_spec.h"
#include "text/tokenizer.h"

namespace embedding {

class RequestEncoder {
 public:
  // The others must outlive the encoder. `default_prompt_name` is taken in place of the model's
  // own.
  RequestEncoder(const ModelSpec& spec, const ModelInfo& info, const Tokenizer& tokenizer,
                 const std::optional<std::string>& default_prompt_name);

  // A job for each text, in order, without its request; counts characters, tokens and cut texts in
  // `response`. Errors: see Embedder::EmbedAsync.
  Result<std::vector<Job>> Encode(const EmbedRequest& request, EmbedResponse& response) const;

  // That of the model's which the request names, or else the default one.
  Result<Prompt> PromptOf(const EmbedRequest& request) const;

 private:
  EncodeOptions OptionsOf(const EmbedRequest& request) const;
  // The tokens of each text, in order.
  Result<std::vector<Encoding>> Tokenize(const EmbedRequest& request, const Prompt& prompt,
                                         const EncodeOptions& options,
                                         EmbedResponse& response) const;
  // Whether the table has a row for each id of a text; a tokenizer may have added tokens beyond it.
  Status CheckIds(const std::vector<int32_t>& ids, const std::string& field) const;

  const ModelSpec& spec_;
  const ModelInfo& info_;
  const Tokenizer& tokenizer_;
  const PromptedTokenizer prompted_;
  const std::optional<std::string> default_prompt_name_;
  const TruncationSide truncation_side_;
};

}  // namespace embedding
