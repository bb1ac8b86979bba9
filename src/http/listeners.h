// Listeners: all addresses that a server listens on, and the loop that accepts connections there.
//
// Used on the server's I/O thread alone, once it runs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/asio.h"
#include "http/handler_slot.h"
#include "http/listener.h"
#include "http/unix_socket.h"

namespace embedding::http {

class Listeners {
 public:
  // Called with each client that has connected. May throw: that client is lost then.
  using Admit = std::function<void(Socket)>;

  // `inherited` are listening sockets that this process was started with: those of the addresses to
  // listen on are taken instead of new ones.
  Listeners(asio::io_context& io, std::vector<int> inherited, Admit admit)
      : io_(io), inherited_(std::move(inherited)), admit_(std::move(admit)) {}

  // Listens on all addresses of a host, on one port. Errors: kAddressInUse.
  Status OpenPort(const std::string& host, uint16_t port);

  // Listens on a UNIX socket. `of_predecessor`: one that is inherited was made by a server before,
  // and its file is this one's now. Errors: kAddressInUse, kInvalidArgument, kInternal.
  Status OpenSocketFile(const std::string& path, bool of_predecessor);

  // Closes the inherited sockets that nothing listens on.
  void CloseTheRest();

  // Whether any was inherited.
  bool is_successor() const;

  // The descriptors of all of them.
  std::vector<int> sockets();

  // "127.0.0.1:8001", the first address; or "" for a UNIX socket.
  std::string address() const;

  // Whether only this machine can reach all of them.
  bool is_local() const;

  // From here on clients are accepted.
  void Start();

  // Accepts those whom the system has connected already, who would be reset with their requests
  // otherwise, and nobody after them.
  void Stop();

  // Accepts nobody any more: those who have connected are for a successor, on the same sockets.
  void Leave();

 private:
  error_code OpenAll(const std::vector<tcp::endpoint>& endpoints, uint16_t port,
                     tcp::endpoint& refused);
  Listener& Add();
  void AwaitConnection(Listener& listener);
  void Accept(Listener& listener) noexcept;
  void AcceptWaiting(Listener& listener);
  void Close();
  void WarnOfAccept(const std::string& reason);

  asio::io_context& io_;
  std::vector<int> inherited_;
  const Admit admit_;
  std::list<HandlerSlot> accept_slots_;  // one a listener
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<UnixSocketFile> socket_file_;
  size_t failed_accepts_ = 0;
  std::chrono::steady_clock::time_point next_warning_ = {};
};

}  // namespace embedding::http
