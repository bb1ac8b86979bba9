// HandoverOffer: a server's side of a succession (succession.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/asio.h"

namespace embedding::http {

// What a successor sends once it serves.
inline constexpr char kSocketsTaken = 'T';

// Used on the I/O thread, or while there is none; it ends with the context.
class HandoverOffer {
 public:
  // `sockets` gives the descriptors at the moment when they are asked for; `on_taken` is called
  // when a successor serves on them.
  HandoverOffer(asio::io_context& io, std::function<std::vector<int>()> sockets,
                std::function<void()> on_taken);
  ~HandoverOffer();
  HandoverOffer(const HandoverOffer&) = delete;
  HandoverOffer& operator=(const HandoverOffer&) = delete;

  // At a path that is this process's alone; what is there is taken for a leftover. Changes the
  // working directory for a moment. Errors: kUnavailable.
  Status Open(const std::string& path);
  // Removes the path too.
  void Close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace embedding::http
