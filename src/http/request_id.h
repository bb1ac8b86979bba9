// The name of a request in answers and in the log.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace embedding::http {

// Not thread-safe.
class RequestIds {
 public:
  // The client's own id if it is fit to be shown and logged: 1 to 128 printable ASCII characters.
  // Else a new one.
  std::string For(std::string_view from_client);

  // 32 hexadecimal digits, unlike any other for all practical purposes; not secret.
  std::string Next();

 private:
  std::mt19937_64 random_{(uint64_t{std::random_device{}()} << 32) | std::random_device{}()};
};

}  // namespace embedding::http
