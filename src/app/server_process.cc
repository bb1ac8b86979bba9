#include "app/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>
#include <thread>

#ifdef __linux__
#include <sys/syscall.h>
#endif
#ifdef __APPLE__
#include <libproc.h>
#include <mach-o/dyld.h>
#endif

namespace embedding::app {
namespace {

constexpr std::string_view kReady = "Embedding service running on ";
constexpr int kFirstInherited = 3;  // of systemd's protocol
// Above what the child's descriptors are to become, so that none is overwritten.
constexpr int kOutOfTheWay = 200;
constexpr std::chrono::milliseconds kPause{20};

volatile std::sig_atomic_t interrupted = 0;

std::string SystemError() { return std::generic_category().message(errno); }

Error Failed(const std::string& what) {
  return {ErrorCode::kInternal, what + ": " + SystemError(), ""};
}

std::string OwnExecutable() {
#ifdef __APPLE__
  std::array<char, 4096> path{};
  auto size = static_cast<uint32_t>(path.size());
  return _NSGetExecutablePath(path.data(), &size) == 0 ? path.data() : "";
#else
  return "/proc/self/exe";
#endif
}

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return Failed("a pipe cannot be made");
  for (const int end : ends) (void)::fcntl(end, F_SETFD, FD_CLOEXEC);
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

// What the child does between fork and exec.
[[noreturn]] void Become(const std::vector<std::string>& arguments, InstanceRecord record, int lock,
                         int output, int errors, const std::vector<int>& sockets) {
  (void)::setsid();
  // By this process and not its parent, which may be killed at any moment.
  record.pid = ::getpid();
  const Status written = WriteRecord(lock, record);
  std::vector<int> inherited = sockets;
  inherited.push_back(lock);
  for (int& descriptor : inherited) descriptor = ::fcntl(descriptor, F_DUPFD_CLOEXEC, kOutOfTheWay);
  const int nothing = ::open("/dev/null", O_RDONLY);
  (void)::dup2(nothing, STDIN_FILENO);
  (void)::dup2(output, STDOUT_FILENO);
  (void)::dup2(errors, STDERR_FILENO);
  if (nothing > STDERR_FILENO) (void)::close(nothing);
  for (size_t i = 0; i < inherited.size(); ++i)
    (void)::dup2(inherited[i], kFirstInherited + static_cast<int>(i));
  if (!sockets.empty()) {
    (void)::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    (void)::setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
  }
  if (!written.ok()) {
    std::fprintf(stderr, "embedding-service: %s\n", written.error().message.c_str());
    ::_exit(EXIT_FAILURE);
  }
  std::vector<std::string> words = {"embedding-service", "serve"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(OwnExecutable().c_str(), argv.data());
  std::fprintf(stderr, "embedding-service: cannot be started: %s\n", SystemError().c_str());
  ::_exit(EXIT_FAILURE);
}

// Passes bytes on line by line, and looks for the one that says that it serves.
class Relay {
 public:
  Relay(int from, std::FILE* to) : from_(from), to_(to) {}

  int from() const { return from_; }
  bool ended() const { return ended_; }
  const std::string& url() const { return url_; }

  void Pass() {
    std::array<char, 4096> bytes{};
    const ssize_t size = ::read(from_, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) return;
    if (size <= 0) {
      ended_ = true;
      return;
    }
    std::fwrite(bytes.data(), 1, static_cast<size_t>(size), to_);
    std::fflush(to_);
    line_.append(bytes.data(), static_cast<size_t>(size));
    for (size_t end = 0; (end = line_.find('\n')) != std::string::npos; line_.erase(0, end + 1)) {
      if (line_.starts_with(kReady)) url_ = line_.substr(kReady.size(), end - kReady.size());
    }
  }

 private:
  int from_;
  std::FILE* to_;
  bool ended_ = false;
  std::string line_;
  std::string url_;
};

// While there is one, an interrupt is noted instead of ending this process.
class InterruptNote {
 public:
  InterruptNote() {
    interrupted = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };  // without SA_RESTART: poll() is to return
    for (size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &action, &before_[i]);
      // By nohup, or a shell's &.
      if (before_[i].sa_handler == SIG_IGN) ::sigaction(kSignals[i], &before_[i], nullptr);
    }
  }
  ~InterruptNote() {
    for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  }
  InterruptNote(const InterruptNote&) = delete;
  InterruptNote& operator=(const InterruptNote&) = delete;

 private:
  static constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace

int InheritedRecord(size_t sockets) { return kFirstInherited + static_cast<int>(sockets); }

Result<ServerProcess> ServerProcess::Start(const std::vector<std::string>& arguments,
                                           const InstanceRecord& record, const FileDescriptor& lock,
                                           const std::vector<int>& sockets) {
  ASSIGN_OR_RETURN(Pipe output, MakePipe());
  ASSIGN_OR_RETURN(Pipe errors, MakePipe());
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return Failed("the server's process cannot be started");
  if (pid == 0) {
    Become(arguments, record, lock.get(), output.write_end.get(), errors.write_end.get(), sockets);
  }
  return ServerProcess(pid, std::move(output.read_end), std::move(errors.read_end));
}

StartOutcome ServerProcess::WaitUntilReady(int on_interrupt) {
  const InterruptNote note;
  StartOutcome outcome;
  std::array<Relay, 2> relays = {Relay(output_.get(), stdout), Relay(errors_.get(), stderr)};
  // It closes both once it serves, and when it ends.
  while (!relays[0].ended() || !relays[1].ended()) {
    std::array<pollfd, 2> waiting{};
    for (size_t i = 0; i < 2; ++i)
      waiting[i] = {relays[i].ended() ? -1 : relays[i].from(), POLLIN, 0};
    const int ready = ::poll(waiting.data(), waiting.size(), -1);
    if (interrupted != 0 && !outcome.cancelled) {
      outcome.cancelled = true;
      (void)::kill(static_cast<pid_t>(pid_), on_interrupt);
    }
    if (ready <= 0) continue;
    for (size_t i = 0; i < 2; ++i) {
      if (waiting[i].revents != 0) relays[i].Pass();
    }
  }
  // In the moment before it was interrupted it may have begun to serve.
  if (!outcome.cancelled) outcome.url = relays[0].url();
  if (!outcome.url.empty()) return outcome;
  int status = 0;
  while (::waitpid(static_cast<pid_t>(pid_), &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  return outcome;
}

ProcessHandle::ProcessHandle(int64_t pid) : pid_(pid), handle_(-1) {
#ifdef SYS_pidfd_open
  handle_ = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!handle_.valid() && errno == ESRCH) pid_ = 0;
#endif
}

bool ProcessHandle::Signal(int signal) const {
#ifdef SYS_pidfd_open
  if (handle_.valid())
    return ::syscall(SYS_pidfd_send_signal, handle_.get(), signal, nullptr, 0) == 0;
#endif
  return pid_ > 0 && ::kill(static_cast<pid_t>(pid_), signal) == 0;
}

Ending WaitForEnd(const FileDescriptor& record, const ProcessHandle& handle,
                  std::chrono::seconds patience) {
  const auto ended_before = [&](std::chrono::steady_clock::time_point deadline) {
    while (IsLocked(record.get())) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(kPause);
    }
    return true;
  };
  if (ended_before(std::chrono::steady_clock::now() + patience)) return Ending::kEnded;
  std::fprintf(stderr, "embedding-service: it has not ended within %lld s and is killed\n",
               static_cast<long long>(patience.count()));
  if (IsLocked(record.get())) (void)handle.Signal(SIGKILL);
  constexpr std::chrono::seconds kForKernel{10};
  return ended_before(std::chrono::steady_clock::now() + kForKernel) ? Ending::kKilled
                                                                     : Ending::kStays;
}

uint64_t ResidentBytes(int64_t pid) {
#ifdef __APPLE__
  rusage_info_current usage{};
  const int result = ::proc_pid_rusage(static_cast<int>(pid), RUSAGE_INFO_CURRENT,
                                       reinterpret_cast<rusage_info_t*>(&usage));
  return result == 0 ? usage.ri_resident_size : 0;
#else
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  while (std::getline(status, line)) {
    constexpr std::string_view kField = "VmRSS:";
    if (line.starts_with(kField))
      return std::strtoull(line.c_str() + kField.size(), nullptr, 10) * 1024;
  }
  return 0;
#endif
}

}  // namespace embedding::app
