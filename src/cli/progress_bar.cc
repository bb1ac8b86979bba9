#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace embedding::cli {
namespace {

constexpr std::chrono::milliseconds kBetweenDrawings{100};
constexpr std::chrono::seconds kBetweenLines{5};
constexpr size_t kDefaultWidth = 80;
constexpr size_t kLeastBar = 10;
constexpr size_t kMostBar = 40;

bool DrawsInPlace() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
         terminal != nullptr && std::string_view(terminal) != "dumb";
}

size_t Width() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kDefaultWidth;
}

}  // namespace

ProgressBar::ProgressBar(double unit, std::string unit_name)
    : unit_(unit), unit_name_(std::move(unit_name)), in_place_(DrawsInPlace()) {}

ProgressBar::~ProgressBar() {
  if (!in_place_ || !begun_) return;
  if (!drawn_) Draw();
  std::fputc('\n', stderr);
}

std::string ProgressBar::Text() const {
  const std::chrono::duration<double> took = Clock::now() - started_;
  const double rate =
      took.count() > 0 ? static_cast<double>(done_ - first_done_) / took.count() : 0;
  std::string text = fmt::format("{}  {:.0f}", what_, static_cast<double>(done_) / unit_);
  if (total_ > 0) text += fmt::format(" of {:.0f}", static_cast<double>(total_) / unit_);
  text += fmt::format(" {}  {:.1f} {}/s", unit_name_, rate / unit_, unit_name_);
  if (total_ > done_ && rate > 0) {
    const auto left = static_cast<int64_t>(static_cast<double>(total_ - done_) / rate);
    text += fmt::format("  {}:{:02} left", left / 60, left % 60);
  }
  return text;
}

void ProgressBar::Show(std::string_view what, uint64_t done, uint64_t total) {
  const auto now = Clock::now();
  if (!begun_ || done < first_done_) {  // it has to start over
    begun_ = true;
    started_ = now;
    first_done_ = done;
  }
  // Each name is drawn, for one may be worked on for long without a report, and so is the end.
  const bool is_new = what_ != what;
  const bool is_last = total > 0 && done >= total;
  what_ = what;
  done_ = done;
  total_ = total;
  drawn_ = false;
  if (now < next_ && !(in_place_ && (is_new || is_last))) return;
  next_ = now + (in_place_ ? std::chrono::milliseconds(kBetweenDrawings) : kBetweenLines);
  Draw();
}

void ProgressBar::Draw() {
  drawn_ = true;
  std::string text = Text();
  if (!in_place_) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  // The last column stays free: some terminals go to the next line behind it.
  const size_t width = Width() - 1;
  text.resize(std::min(text.size(), width));
  if (total_ > 0 && text.size() + kLeastBar + 4 <= width) {
    const size_t length = std::min(width - text.size() - 4, kMostBar);
    const auto filled = static_cast<size_t>(static_cast<double>(length) *
                                            static_cast<double>(std::min(done_, total_)) /
                                            static_cast<double>(total_));
    text += "  [" + std::string(filled, '#') + std::string(length - filled, ' ') + ']';
  }
  std::fprintf(stderr, "\r%s\x1b[K", text.c_str());
  std::fflush(stderr);
}

}  // namespace embedding::cli
