#include "app/hangup.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace embedding::app {
namespace {

// A process whose terminal was closed can no longer open it.
bool HasTerminal() {
  const int terminal = ::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return false;
  ::close(terminal);
  return true;
}

bool IsIgnored(int signal) {
  struct sigaction action = {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

HangupMeaning::HangupMeaning()
    : had_terminal_(HasTerminal()), outlives_terminal_(IsIgnored(SIGHUP)) {}

Hangup HangupMeaning::Now() const {
  if (!had_terminal_ || HasTerminal()) return Hangup::kReload;
  return outlives_terminal_ ? Hangup::kNothing : Hangup::kTerminalGone;
}

}  // namespace embedding::app
