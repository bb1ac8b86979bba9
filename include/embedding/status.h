// Error, Status and Result<T>: how every layer reports what went wrong.
//
// A function that can fail returns Status (nothing to give) or Result<T> (a value or an Error).
// Exceptions are not used across functions of this project; those that libraries throw are caught
// where the library is called. An Error's message is one sentence for the person who has to act on
// it: it names what was wrong and, where that helps, what to do.
//
// Thread-safety: values like any other; not synchronised.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace embedding {

// What kind of failure it is: of a request, of loading, or of the machine.
enum class ErrorCode {
  kMalformed,          // the input cannot be read at all: not JSON, invalid UTF-8
  kInvalidArgument,    // readable, but a field is missing, of the wrong type or out of range
  kEmpty,              // a request without any text
  kTimeout,            // its deadline has passed
  kCancelled,          // whoever asked no longer waits
  kNotFound,           // nothing here has the name that was given
  kUnsupported,        // the model lacks what was asked for
  kOutOfMemory,        // there is no memory for it; for less there may be
  kOverloaded,         // the queue is full: try again later
  kUnavailable,        // loading, draining, or the engine has failed
  kModelLoad,          // the model's files cannot be used
  kDownload,           // the model cannot be had from the hub: network, its answers, the disk
  kAddressInUse,       // the port is taken, or the address cannot be bound
  kDeviceUnavailable,  // the device asked for is not on this machine or not in this build
  kInternal,           // a defect of this program or a failure of the operating system
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  // Dotted path of the request field that is at fault, where one is ("texts[3]"), else empty.
  std::string field;

  // The same error with a place put before its message: "model.safetensors: header is truncated".
  Error At(std::string_view where) && {
    message.insert(0, ": ").insert(0, where);
    return std::move(*this);
  }
};

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(Error error) : state_(std::move(error)) {}
  template <typename U = T>
  requires(std::is_constructible_v<T, U&&> && !std::is_same_v<std::decay_t<U>, Error> &&
           !std::is_same_v<std::decay_t<U>, Result<T>>)
      // Implicit, because `return value;` is the point; copies and moves are excluded above, which
      // clang-tidy 14 does not see.
      // NOLINTNEXTLINE(bugprone-forwarding-reference-overload)
      Result(U&& value)
      : state_(std::in_place_index<1>, std::forward<U>(value)) {}

  bool ok() const { return state_.index() == 1; }
  explicit operator bool() const { return ok(); }

  // The value. Only when ok().
  T& operator*() & { return std::get<1>(state_); }
  const T& operator*() const& { return std::get<1>(state_); }
  T&& operator*() && { return std::get<1>(std::move(state_)); }
  T* operator->() { return &std::get<1>(state_); }
  const T* operator->() const { return &std::get<1>(state_); }

  // The error. Only when !ok().
  const Error& error() const& { return std::get<0>(state_); }
  Error&& error() && { return std::get<0>(std::move(state_)); }

 private:
  std::variant<Error, T> state_;
};

// Result without a value: `Status{}` is success.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : failed_(true), error_(std::move(error)) {}

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  bool failed_ = false;
  Error error_;
};

}  // namespace embedding
