// UNIX sockets: addresses that are files, which only who may write them can connect to.
#pragma once

#include <string>

#include "base/result.h"
#include "http/asio.h"

namespace embedding::http {

// The address of the socket at `path`. What a server that was killed left there is removed; what
// one listens on is not. Errors: kInvalidArgument: the path is too long for an address, or there is
// something else; kAddressInUse: somebody listens there.
Result<Endpoint> UnixEndpoint(const std::string& path);

// Lets the socket's user and group connect, and nobody else.
Status ShareWithGroup(const std::string& path);

// Removes a socket that this process has made at `path`, unless another stands there by now.
class UnixSocketFile {
 public:
  explicit UnixSocketFile(std::string path);
  ~UnixSocketFile();
  UnixSocketFile(const UnixSocketFile&) = delete;
  UnixSocketFile& operator=(const UnixSocketFile&) = delete;

 private:
  const std::string path_;
  unsigned long device_ = 0;
  unsigned long inode_ = 0;
};

}  // namespace embedding::http
