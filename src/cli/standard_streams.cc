#include "cli/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>

namespace embedding::cli {

Status PrepareStandardStreams() {
  std::signal(SIGPIPE, SIG_IGN);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // open() gives the lowest number that is free, which is this one: those below it are open.
    if (::open("/dev/null", O_RDWR) != descriptor) {
      return Error{ErrorCode::kInternal,
                   "descriptor " + std::to_string(descriptor) +
                       " is closed, and /dev/null cannot take its place: " +
                       std::generic_category().message(errno),
                   ""};
    }
  }
  return {};
}

Status FlushStandardOutput() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
  return Error{ErrorCode::kInternal,
               "cannot write to standard output: " + std::generic_category().message(errno), ""};
}

}  // namespace embedding::cli
