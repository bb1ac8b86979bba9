// embedding/status.h, and for the code of src/ the two macros that pass an Error on.
#pragma once

#include <utility>

#include "embedding/status.h"

#define EMBEDDING_CONCAT_(a, b) a##b
#define EMBEDDING_CONCAT(a, b) EMBEDDING_CONCAT_(a, b)

// RETURN_IF_ERROR(expression): leaves the function with the error, if there is one.
#define RETURN_IF_ERROR(expression)                                  \
  do {                                                               \
    auto status_to_check = (expression);                             \
    if (!status_to_check.ok()) {                                     \
      return ::embedding::Error(std::move(status_to_check).error()); \
    }                                                                \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): x is the value of F(), or the function is left with its error.
// (Variadic because the preprocessor splits F<A, B>() at the comma.)
#define ASSIGN_OR_RETURN(declaration, ...) \
  ASSIGN_OR_RETURN_(EMBEDDING_CONCAT(result_at_line_, __LINE__), declaration, __VA_ARGS__)
#define ASSIGN_OR_RETURN_(result, declaration, ...)       \
  auto result = (__VA_ARGS__);                            \
  if (!result.ok()) {                                     \
    return ::embedding::Error(std::move(result).error()); \
  }                                                       \
  declaration = *std::move(result)
