// How the listening sockets of one server come to the process that takes its place, so that at no
// moment a client is refused: the socket, with whoever waits in its queue, is the same before and
// after. With SO_REUSEPORT instead the system would reset those that wait for the server that
// closes, and two services on one port by mistake would go unnoticed.
//
// A server offers its sockets (ServerOptions::handover_path) to whoever connects to a UNIX socket,
// in a folder that only its user can enter. This end gets copies of them (SCM_RIGHTS), gives them
// to a new process by systemd's protocol (LISTEN_FDS), and once that serves has the old server
// leave. If it goes away without that, nothing has changed.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace embedding::http {

// The sockets that this process was started with, by systemd's protocol: those of LISTEN_FDS if
// LISTEN_PID is this process. They are marked to stay in it, and the variables removed: a second
// call gives none. Call it while there is one thread.
std::vector<int> InheritedSockets();

class Succession {
 public:
  static constexpr std::chrono::seconds kPatience{5};

  // Changes the working directory for a moment. Errors: kUnavailable: nobody offers anything there;
  // kTimeout: the server there is stuck, and has said nothing for kPatience.
  static Result<Succession> Begin(const std::string& path);

  // The server's listening sockets, for the new one to inherit.
  const std::vector<int>& sockets() const { return sockets_; }

  // Has the old server take no more connections, answer what it has in hand, and end. Errors:
  // kUnavailable: it is gone already.
  Status Complete();

  Succession(Succession&& other) noexcept;
  Succession& operator=(Succession&&) = delete;
  ~Succession();

 private:
  explicit Succession(int connection) : connection_(connection) {}

  int connection_;
  std::vector<int> sockets_;
};

}  // namespace embedding::http
