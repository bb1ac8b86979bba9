// Asking a server on this machine how it is.
#pragma once

#include <string>

namespace embedding {

struct ProbeAnswer {
  int status = 0;       // of HTTP; 0: no answer came
  std::string body;     // at most 64 KB of it
  std::string problem;  // why no answer came
};

// GET of `path` from the server at `url` ("https://127.0.0.1:8001", or "unix:/run/it.sock"),
// without proxies, within 5 s. The certificate is not looked at: it is the server's on this
// machine, whatever name it has for others. Any thread.
ProbeAnswer Probe(const std::string& url, const std::string& path);

}  // namespace embedding
