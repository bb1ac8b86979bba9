#include "http/unix_socket.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

namespace embedding::http {
namespace {

std::string Reason(int code) { return std::generic_category().message(code); }

Error Unusable(ErrorCode code, const std::string& path, const std::string& why) {
  return {code, "cannot listen on " + path + ": " + why, ""};
}

// Whether somebody answers there.
bool IsListenedOn(const std::string& path) {
  asio::io_context io;
  asio::local::stream_protocol::socket probe(io);
  error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path), error);
  return error != asio::error::connection_refused;
}

}  // namespace

Result<Endpoint> UnixAddress(const std::string& path) {
  try {
    return Endpoint(asio::local::stream_protocol::endpoint(path));
  } catch (const std::exception&) {
    return Unusable(ErrorCode::kInvalidArgument, path,
                    "it is too long for a UNIX socket, whose path has about 100 characters; choose "
                    "a shorter --unix-socket");
  }
}

Status ClearUnixSocket(const std::string& path) {
  struct stat there = {};
  if (::lstat(path.c_str(), &there) != 0) return {};
  if (!S_ISSOCK(there.st_mode)) {
    return Unusable(ErrorCode::kInvalidArgument, path,
                    "there is a file that is no socket; choose another --unix-socket");
  }
  if (IsListenedOn(path)) {
    return Unusable(ErrorCode::kAddressInUse, path,
                    "another process listens there; stop it or choose another --unix-socket");
  }
  if (::unlink(path.c_str()) != 0) {
    return Unusable(ErrorCode::kAddressInUse, path,
                    "the socket of a server that has ended cannot be removed: " + Reason(errno));
  }
  return {};
}

Status ShareWithGroup(const std::string& path) {
  if (::chmod(path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) == 0) return {};
  return Unusable(ErrorCode::kInternal, path, Reason(errno));
}

UnixSocketFile::UnixSocketFile(std::string path) : path_(std::move(path)) {
  struct stat made = {};
  if (::lstat(path_.c_str(), &made) != 0) return;
  device_ = made.st_dev;
  inode_ = made.st_ino;
}

UnixSocketFile::~UnixSocketFile() {
  if (kept_) return;
  struct stat there = {};
  if (::lstat(path_.c_str(), &there) != 0) return;
  if (there.st_dev == device_ && there.st_ino == inode_) ::unlink(path_.c_str());
}

}  // namespace embedding::http
