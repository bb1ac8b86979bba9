// Sockets that go from one process to another over a UNIX socket, and the addresses of those.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace embedding::http {

// Sends copies of the descriptors, and receives them; they stay in the process that gets them when
// it starts another. Whether that went well.
bool SendSockets(int connection, const std::vector<int>& sockets);
bool ReceiveSockets(int connection, std::vector<int>& sockets);

// "path: what", of kind kUnavailable.
Error SocketError(const std::string& path, const std::string& what);

// What the system says of the last call that failed.
std::string SystemError();

// Calls `act` with the folder of `path` as the working directory, and the name in it: the address
// of a UNIX socket has room for some hundred bytes, and a home directory may be longer. For times
// at which nothing else in the process depends on the working directory.
Status InFolderOf(const std::string& path, const std::function<Status(const std::string&)>& act);

}  // namespace embedding::http
