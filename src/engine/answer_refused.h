// The error of an answer that its budget has no room for.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace embedding {

// Why a budget of `limit` bytes did not have the `bytes` of an answer: kInvalidArgument if it never
// could, kOverloaded if other answers hold it.
Error AnswerRefused(size_t bytes, size_t limit);

}  // namespace embedding
