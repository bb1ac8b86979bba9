#include "http/socket_passing.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/quoted.h"

namespace embedding::http {
namespace {

constexpr size_t kMaxSockets = 64;

}  // namespace

// One message with a byte in it, and copies of the descriptors.
bool SendSockets(int connection, const std::vector<int>& sockets) {
  char byte = 'S';
  iovec data{&byte, 1};
  std::array<char, CMSG_SPACE(sizeof(int) * kMaxSockets)> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (sockets.size() > kMaxSockets) return false;
  const size_t bytes = sizeof(int) * sockets.size();
  if (bytes > 0) {
    message.msg_control = control.data();
    message.msg_controllen = static_cast<decltype(message.msg_controllen)>(CMSG_SPACE(bytes));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = static_cast<decltype(header->cmsg_len)>(CMSG_LEN(bytes));
    std::memcpy(CMSG_DATA(header), sockets.data(), bytes);
  }
  return ::sendmsg(connection, &message, 0) == 1;
}

bool ReceiveSockets(int connection, std::vector<int>& sockets) {
  char byte = 0;
  iovec data{&byte, 1};
  std::array<char, CMSG_SPACE(sizeof(int) * kMaxSockets)> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = static_cast<decltype(message.msg_controllen)>(control.size());
  if (::recvmsg(connection, &message, 0) != 1) return false;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    sockets.resize((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(sockets.data(), CMSG_DATA(header), sockets.size() * sizeof(int));
  }
  for (const int socket : sockets) (void)::fcntl(socket, F_SETFD, FD_CLOEXEC);
  return !sockets.empty();
}

Error SocketError(const std::string& path, const std::string& what) {
  return {ErrorCode::kUnavailable, Quoted(path) + ": " + what, ""};
}

std::string SystemError() { return std::generic_category().message(errno); }

Status InFolderOf(const std::string& path, const std::function<Status(const std::string&)>& act) {
  const int here = ::open(".", O_RDONLY | O_CLOEXEC);
  const std::filesystem::path whole(path);
  if (here < 0 || ::chdir(whole.parent_path().c_str()) != 0) {
    const std::string why = SystemError();
    if (here >= 0) ::close(here);
    return SocketError(path, "its folder cannot be entered: " + why);
  }
  Status done = act(whole.filename().string());
  if (::fchdir(here) != 0) done = SocketError(path, "no way back: " + SystemError());
  ::close(here);
  return done;
}

}  // namespace embedding::http
