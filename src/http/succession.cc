#include "http/succession.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/quoted.h"
#include "http/handover_offer.h"
#include "http/socket_passing.h"

namespace embedding::http {
namespace {

constexpr int kFirstInherited = 3;  // as systemd has it
constexpr int kMaxInherited = 64;

}  // namespace

std::vector<int> InheritedSockets() {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  std::vector<int> sockets;
  if (pid != nullptr && count != nullptr && std::to_string(::getpid()) == pid) {
    const long number = std::strtol(count, nullptr, 10);
    for (int i = 0; i < number && i < kMaxInherited; ++i) {
      if (::fcntl(kFirstInherited + i, F_SETFD, FD_CLOEXEC) == 0)
        sockets.push_back(kFirstInherited + i);
    }
  }
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  return sockets;
}

Result<Succession> Succession::Begin(const std::string& path) {
  const int connection = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (connection < 0) return SocketError(path, SystemError());
  Succession succession(connection);
  (void)::fcntl(connection, F_SETFD, FD_CLOEXEC);
  const timeval patience{kPatience.count(), 0};
  (void)::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  // connect() waits for room in the queue of a server that takes nobody from it.
  (void)::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  const auto stuck = [&path] {
    return Error{ErrorCode::kTimeout,
                 Quoted(path) + ": the server does not answer; nothing came from there for " +
                     std::to_string(kPatience.count()) + " s",
                 ""};
  };
  RETURN_IF_ERROR(InFolderOf(path, [&](const std::string& name) -> Status {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() >= sizeof(address.sun_path)) return SocketError(path, "too long a name");
    name.copy(address.sun_path, name.size());
    if (::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
      return {};
    if (errno == EAGAIN || errno == EINPROGRESS) return stuck();
    return SocketError(path, "cannot be reached: " + SystemError());
  }));
  errno = 0;
  if (!ReceiveSockets(connection, succession.sockets_)) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return stuck();
    return SocketError(path, "no sockets came from there");
  }
  return succession;
}

Status Succession::Complete() {
  if (::write(connection_, &kSocketsTaken, 1) == 1) return {};
  return {Error{ErrorCode::kUnavailable, "the server before is gone: " + SystemError(), ""}};
}

Succession::Succession(Succession&& other) noexcept
    : connection_(std::exchange(other.connection_, -1)),
      sockets_(std::exchange(other.sockets_, {})) {}

Succession::~Succession() {
  for (const int socket : sockets_) ::close(socket);
  if (connection_ >= 0) ::close(connection_);
}

}  // namespace embedding::http
