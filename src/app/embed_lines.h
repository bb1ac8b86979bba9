// Embedding texts in bulk: a text a line in, an object of JSON a line out, in the same order.
//
//   {"embedding":[...],"lexical_weights":{...},"colbert_vecs":[[...],...]}   what was asked for
//   {"line":3,"error":"..."}                                                 counted from 1
//
// Texts are read ahead, so that the model computes while they are read and written; what is held is
// bounded. For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "embedding/engine.h"

namespace embedding::app {

// Asks for the vectors of texts, and returns at once.
using AskTexts = std::function<std::future<Result<EmbedResponse>>(std::vector<std::string>)>;

// Asks a model in this process, which must outlive the answers. `like` has all of the requests but
// their texts.
AskTexts AskHere(Embedder& embedder, EmbedRequest like);

// The next text; nothing at the end.
using NextText = std::function<Result<std::optional<std::string>>()>;
// Takes whole lines.
using WriteLines = std::function<Status(std::string_view)>;
// Told how many lines have been written, and computed tokens.
using LinesProgress = std::function<void(uint64_t lines)>;

struct LinesReport {
  uint64_t lines = 0;   // written
  uint64_t failed = 0;  // of these, errors
};

// `wanted` is what `ask` asks for. `first_line` is the number of the first text. With `strict` the
// first line that cannot be embedded ends it with its error, and those before it have been written.
// Errors besides: those of `next` and `write`, and of a request whatever its text.
Result<LinesReport> EmbedLines(const AskTexts& ask, const Outputs& wanted, uint64_t first_line,
                               bool strict, const NextText& next, const WriteLines& write,
                               const LinesProgress& progress);

}  // namespace embedding::app
