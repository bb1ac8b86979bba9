#include "http/port_holder.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

#include "base/quoted.h"

namespace embedding::http {
namespace {

namespace fs = std::filesystem;

// How links to the sockets that listen on the port read: "socket:[4711]". (proc(5), /proc/net/tcp)
std::set<std::string> ListeningSockets(uint16_t port) {
  constexpr std::string_view kListening = "0A";
  const std::string wanted = fmt::format(":{:04X}", port);
  std::set<std::string> sockets;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
          timeout >> inode;
      if (state == kListening && local.ends_with(wanted)) sockets.insert("socket:[" + inode + ']');
    }
  }
  return sockets;
}

bool HoldsOneOf(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code error;
  fs::directory_iterator files(process / "fd", error);
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    std::error_code gone;
    if (sockets.contains(fs::read_symlink(files->path(), gone).string())) return true;
  }
  return false;
}

// What the process calls itself. The system keeps 15 bytes of that: the program's file has the
// rest, where it has the same beginning.
std::string NameOf(const fs::path& process) {
  constexpr size_t kKept = 15;
  constexpr std::string_view kReplaced = " (deleted)";  // since it was started, by an update say
  std::string name;
  std::ifstream file(process / "comm");
  std::getline(file, name);
  std::error_code unreadable;
  std::string program = fs::read_symlink(process / "exe", unreadable).filename().string();
  if (program.ends_with(kReplaced)) program.resize(program.size() - kReplaced.size());
  return name.size() == kKept && program.starts_with(name) ? program : name;
}

bool IsNumber(std::string_view text) {
  unsigned number = 0;
  const char* end = text.data() + text.size();
  return std::from_chars(text.data(), end, number).ptr == end;
}

}  // namespace

std::string PortHolder(uint16_t port) {
  const std::set<std::string> sockets = ListeningSockets(port);
  if (sockets.empty()) return {};
  std::error_code error;
  fs::directory_iterator processes("/proc", error);
  for (; !error && processes != fs::directory_iterator(); processes.increment(error)) {
    const fs::path process = processes->path();
    const std::string id = process.filename().string();
    if (!IsNumber(id) || !HoldsOneOf(process, sockets)) continue;
    return fmt::format("{} (process {})", Printable(NameOf(process), 64), id);
  }
  return {};
}

}  // namespace embedding::http
