// UNIX sockets: addresses that are files, which only who may write them can connect to.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "http/asio.h"

namespace embedding::http {

// The address of a socket at `path`. Errors: kInvalidArgument: it is too long for one.
Result<Endpoint> UnixAddress(const std::string& path);

// Removes what a server that was killed left at `path`, but not what one listens on. Errors:
// kInvalidArgument: there is something else; kAddressInUse: somebody listens there.
Status ClearUnixSocket(const std::string& path);

// Lets the socket's user and group connect, and nobody else.
Status ShareWithGroup(const std::string& path);

// Removes a socket that this process listens on at `path`, unless another stands there by now, or
// it is a successor's.
class UnixSocketFile {
 public:
  explicit UnixSocketFile(std::string path);
  ~UnixSocketFile();
  UnixSocketFile(const UnixSocketFile&) = delete;
  UnixSocketFile& operator=(const UnixSocketFile&) = delete;

  void Keep() { kept_ = true; }

 private:
  const std::string path_;
  bool kept_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace embedding::http
