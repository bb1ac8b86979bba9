// Who listens on a port, for those who wanted it.
#pragma once

#include <cstdint>
#include <string>

namespace embedding::http {

// "python3 (process 1234)" for the process that listens on the TCP port, as far as Linux shows it:
// processes of other users only to root. Empty where nothing is seen, and on other systems.
std::string PortHolder(uint16_t port);

}  // namespace embedding::http
