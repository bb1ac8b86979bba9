// What SIGHUP means: that the terminal has gone, or that the configuration is to be read again.
#pragma once

namespace embedding::app {

enum class Hangup { kTerminalGone, kReload, kNothing };

// Remembers, when it is made, whether the process has a terminal, and whether it was started so
// that it outlives that (nohup): before anybody handles SIGHUP. Thread-safe after that.
class HangupMeaning {
 public:
  HangupMeaning();

  // Of a SIGHUP that has just come.
  Hangup Now() const;

 private:
  const bool had_terminal_;
  const bool outlives_terminal_;
};

}  // namespace embedding::app
