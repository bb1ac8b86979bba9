// Server: HTTP/1.1 in front of an Application.
//
// One thread does all reading and writing (it is far from busy: a request costs it some 10
// microseconds); the handler's answers may come from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/handler.h"
#include "http/refusal.h"
#include "http/tls.h"

namespace embedding::http {

// After these a connection is closed, a half-sent request with 408.
struct Timeouts {
  // Between requests. Longer than the 60 s after which load balancers drop an idle connection, so
  // that it is they who close, and no request meets a closing socket.
  std::chrono::milliseconds idle{75'000};
  // A header comes in a packet or two; slower than this is an attack or a broken network.
  std::chrono::milliseconds header{30'000};
  // And a second more for each KB that has come: a slow network is none of these.
  std::chrono::milliseconds body{60'000};
  // While a client takes nothing of its answer.
  std::chrono::milliseconds write{60'000};
};

// What the server is in front of.
struct Application {
  Handler handler;
  // Words what the server itself refuses: what is no HTTP, too large, too slow, or too much.
  WordRefusal word = PlainRefusal;
  // Told of every request once its answer has been sent, or could not be: what the server itself
  // refuses too. On the thread that does all reading and writing: it must be quick, and not throw.
  std::function<void(const Answered&)> answered = nullptr;
};

struct ServerOptions {
  // A name stands for all its addresses; "localhost" for 127.0.0.1 and, where there is IPv6, ::1.
  std::string host = "localhost";
  uint16_t port = 8001;  // 0 takes any free one
  // Where it listens instead of at host and port, if not empty: a file for the processes of its
  // user and group (unix_socket.h).
  std::string unix_socket = {};
  // Where there are some, connections are TLS.
  TlsFiles tls = {};
  // What SIGHUP does, on the I/O thread; if empty, what it did before.
  std::function<void()> on_hangup = {};
  // Beyond it a connection is answered 503 and closed.
  size_t max_connections = 4096;
  size_t payload_limit_bytes = 20'000'000;  // of a request; beyond it 413. The caller's to choose
  // What the bodies of all requests on their way or in hand may take together; beyond it 503.
  size_t bodies_limit_bytes = 64'000'000;
  // How long requests in hand may take to finish once the server stops.
  std::chrono::seconds shutdown_timeout{30};
  // Where the listening sockets are offered to a successor (succession.h); nowhere if empty.
  // A path of this process alone: its successor offers at another.
  std::string handover_path = {};
  // Listening sockets that this process was started with: those of the addresses to listen on are
  // taken instead of new ones, the rest is closed.
  std::vector<int> inherited = {};
  Timeouts timeouts = {};
};

class Server {
 public:
  // Opens the port; connections wait until Run. SIGINT and SIGTERM belong to the server from here
  // on, and SIGHUP if it does something. Errors: kAddressInUse; kInvalidArgument: a path or a file
  // of TLS that cannot be used; kInternal: the limit of open files leaves too few connections.
  static Result<std::unique_ptr<Server>> Listen(const ServerOptions& options,
                                                Application application);

  // Every Responder that the handler was given must have been destroyed, or never answer.
  virtual ~Server() = default;

  // "http://127.0.0.1:8001", with the port that was taken, which is one on all addresses; the first
  // of these. Of a UNIX socket "unix:/run/embedding.sock". Thread-safe.
  virtual std::string url() const = 0;

  // Whether only this machine can reach it. Thread-safe.
  virtual bool is_local() const = 0;

  // Takes these files for connections to come, instead of those that it has; only where there is
  // TLS. Errors: kInvalidArgument, and all is as before. Thread-safe.
  virtual Status UseTls(const TlsFiles& files) = 0;

  virtual bool uses_tls() const = 0;

  // Whether its sockets were inherited. Thread-safe.
  virtual bool is_successor() const = 0;

  // Has it offer its sockets to a successor, and, where they were inherited itself, accept: until
  // then others may be answering on them, and whoever connects waits. Thread-safe.
  virtual void Ready() = 0;

  // Serves until Stop or a signal, then takes no new connections, closes the idle ones, lets the
  // requests in hand finish and returns. From the first signal or Stop on, signals do nothing for a
  // second and then end the process at once (http/repeated_signals.h). Called once.
  // When a successor has taken the sockets over, it takes no more connections either, but the idle
  // ones have a few seconds for one more request, whose answer says that the connection closes: a
  // client that is about to send one meets no closed connection.
  // Errors: kTimeout, if requests were left when the shutdown timeout had passed.
  virtual Status Run() = 0;

  // Makes Run return as a signal does. Thread-safe.
  virtual void Stop() = 0;
};

}  // namespace embedding::http
