// ChargedBody: Beast's parser's way to a std::string whose memory is taken from a ByteBudget.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "embedding/byte_budget.h"
#include "http/asio.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional/optional.hpp>

namespace embedding::http {

struct ChargedBytes {
  std::string bytes;
  ByteCharge charge;
  bool out_of_budget = false;  // why reading failed with no_buffer_space
};

// Takes the bytes of a body as they come, and their memory with them, not when a header promises
// them: clients that promise and do not send hold nothing.
class ChargedBodyReader {
 public:
  template <bool is_request, typename Fields>
  ChargedBodyReader(boost::beast::http::header<is_request, Fields>& /*header*/, ChargedBytes& body)
      : body_(body) {}

  void init(const boost::optional<uint64_t>& content_length, error_code& error) {
    // The parser has held it to the payload limit.
    if (content_length) largest_ = static_cast<size_t>(*content_length);
    error = {};
  }

  // Throws std::bad_alloc.
  template <typename ConstBuffers>
  size_t put(const ConstBuffers& buffers, error_code& error) {
    error = {};
    const size_t more = asio::buffer_size(buffers);
    const size_t size = body_.bytes.size() + more;
    if (size > body_.bytes.capacity()) {
      // Twice as much each time, but no more than what was promised: that is often all.
      constexpr size_t kFirst = 4096;
      const size_t capacity =
          std::max(size, std::min(largest_, std::max(kFirst, 2 * body_.bytes.capacity())));
      if (!body_.charge.GrowTo(capacity)) {
        body_.out_of_budget = true;
        error = asio::error::no_buffer_space;
        return 0;
      }
      std::string grown;  // a string that has something takes more than it is told to
      grown.reserve(capacity);
      grown.append(body_.bytes);
      body_.bytes.swap(grown);
    }
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers);
         ++it) {
      const asio::const_buffer piece(*it);
      body_.bytes.append(static_cast<const char*>(piece.data()), piece.size());
    }
    return more;
  }

  void finish(error_code& error) { error = {}; }

 private:
  ChargedBytes& body_;
  size_t largest_ = SIZE_MAX;
};

// A Body as Beast's concepts want it, under the names that they want.
struct ChargedBody {
  using value_type = ChargedBytes;
  using reader = ChargedBodyReader;
};

}  // namespace embedding::http
