#include "engine/answer_refused.h"

#include <fmt/format.h>

namespace embedding {

Error AnswerRefused(size_t bytes, size_t limit) {
  if (bytes > limit) {
    return {ErrorCode::kInvalidArgument,
            fmt::format("the answer would take {} bytes of the {} that answers may take together "
                        "(--answer-limit); ask for fewer or shorter texts at a time",
                        bytes, limit),
            {}};
  }
  return {
      ErrorCode::kOverloaded,
      fmt::format("the answers to other requests, computed or on their way, leave too little of "
                  "the {} bytes that answers may take together (--answer-limit); try again "
                  "later",
                  limit),
      {}};
}

}  // namespace embedding
