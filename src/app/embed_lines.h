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
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "embedding/engine.h"

namespace embedding::app {

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

// `like` has all of the requests but their texts; what is wrong with it is an error by itself.
// `first_line` is the number of the first. With `strict` the first line that cannot be embedded
// ends it with its error, and those before it have been written. Errors besides: those of `next`
// and `write`.
Result<LinesReport> EmbedLines(Embedder& embedder, const EmbedRequest& like, uint64_t first_line,
                               bool strict, const NextText& next, const WriteLines& write,
                               const LinesProgress& progress);

}  // namespace embedding::app
