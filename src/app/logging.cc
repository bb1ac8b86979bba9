#include "app/logging.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include "base/json_writer.h"
#include "base/quoted.h"
#include "base/utf8.h"

namespace embedding::app {
namespace {

constexpr char kName[] = "embedding-service";
constexpr char kFileOnly[] = "start-up";  // what standard output and error have been told
constexpr char kAccessPattern[] = "[%Y-%m-%d %H:%M:%S.%e] %v";

std::string_view ViewOf(spdlog::string_view_t text) { return {text.data(), text.size()}; }

// `text` with U+FFFD for each byte that makes it invalid: names of files are any bytes.
std::string ValidUtf8(std::string_view text) {
  std::string valid;
  for (size_t wrong = 0; (wrong = FindInvalidUtf8(text)) != std::string_view::npos;) {
    valid.append(text.substr(0, wrong)).append("\xEF\xBF\xBD");
    text.remove_prefix(wrong + 1);
  }
  return valid.append(text);
}

std::string Rfc3339(spdlog::log_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(spdlog::log_clock::to_time_t(time)),
                     ms % 1000);
}

class TextFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    (ViewOf(message.logger_name) == kAccessLogger ? access_ : usual_).format(message, out);
  }
  std::unique_ptr<formatter> clone() const override { return std::make_unique<TextFormatter>(); }

 private:
  spdlog::pattern_formatter usual_;
  spdlog::pattern_formatter access_{kAccessPattern};
};

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    std::string line;
    JsonWriter json(line);
    json.BeginObject().Key("time").String(Rfc3339(message.time));
    const std::string_view payload = ViewOf(message.payload);
    if (ViewOf(message.logger_name) == kAccessLogger) {
      line.append(payload.empty() ? "" : ",").append(payload);
    } else {
      json.Key("level").String(ViewOf(spdlog::level::to_string_view(message.level)));
      json.Key("message").String(ValidUtf8(payload));
    }
    line += "}\n";
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

// The standard error of whoever started this, for as long as that is of use.
class StandardErrorSink final : public spdlog::sinks::stderr_color_sink_mt {
 public:
  void Leave() { left_ = true; }
  void log(const spdlog::details::log_msg& message) override {
    if (!left_) spdlog::sinks::stderr_color_sink_mt::log(message);
  }

 private:
  std::atomic<bool> left_ = false;
};

std::atomic<bool> streams_left = false;

// What a library or the C++ runtime has to say when it ends the process belongs to the log too, and
// to the file that is the log's now.
void PointStandardStreamsAt(int file) {
  std::fflush(stdout);
  (void)::dup2(file, STDOUT_FILENO);
  (void)::dup2(file, STDERR_FILENO);
}

// The sinks are known beside the loggers, which do not tell which is which.
std::shared_ptr<StandardErrorSink> standard_error;
std::shared_ptr<spdlog::logger> file_only;  // none without a file
std::string file_name;

void OnProblem(const std::string& problem) {
  static std::atomic_flag told;
  if (told.test_and_set()) return;
  std::fprintf(stderr,
               "embedding-service: the log cannot be written, and lines of it are lost: %s\n",
               problem.c_str());
}

std::shared_ptr<spdlog::logger> MakeLogger(const char* name,
                                           const std::vector<spdlog::sink_ptr>& sinks) {
  auto logger = std::make_shared<spdlog::logger>(name, sinks.begin(), sinks.end());
  logger->set_error_handler(OnProblem);
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);  // whoever follows the file sees each line at once
  return logger;
}

}  // namespace

Status StartLogging(const LoggingOptions& options) {
  std::vector<spdlog::sink_ptr> sinks;
  streams_left = false;
  standard_error = std::make_shared<StandardErrorSink>();
  sinks.push_back(standard_error);
  if (!options.file.empty()) {
    try {
      spdlog::file_event_handlers handlers;
      handlers.after_open = [](const spdlog::filename_t&, std::FILE* file) {
        if (streams_left) PointStandardStreamsAt(::fileno(file));
      };
      sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
          options.file, options.file_bytes, options.files, false, handlers));
    } catch (const spdlog::spdlog_ex& error) {
      return Error{
          ErrorCode::kInternal,
          fmt::format("--log-file: {}: {}", Quoted(options.file), Printable(error.what(), 300)),
          ""};
    }
  }
  for (const spdlog::sink_ptr& sink : sinks) {
    if (options.format == "json") {
      sink->set_formatter(std::make_unique<JsonFormatter>());
    } else {
      sink->set_formatter(std::make_unique<TextFormatter>());
    }
  }
  spdlog::drop_all();
  spdlog::set_default_logger(MakeLogger(kName, sinks));
  spdlog::register_logger(MakeLogger(kAccessLogger, sinks));
  file_only = sinks.size() > 1 ? MakeLogger(kFileOnly, {sinks.back()}) : nullptr;
  file_name = options.file;
  SetLogLevel(options.level);
  return {};
}

void SetLogLevel(const std::string& level) {
  spdlog::default_logger_raw()->set_level(spdlog::level::from_str(level));
}

void Print(const std::string& lines) {
  std::puts(lines.c_str());
  std::fflush(stdout);
  if (!file_only) return;
  for (size_t begin = 0; begin < lines.size();) {
    const size_t end = std::min(lines.find('\n', begin), lines.size());
    file_only->info(spdlog::string_view_t(lines.data() + begin, end - begin));
    begin = end + 1;
  }
}

void PrintError(const std::string& message) {
  std::fprintf(stderr, "embedding-service: %s\n", message.c_str());
  if (file_only) file_only->error(spdlog::string_view_t(message));
}

void LeaveStandardStreams() {
  if (!file_only) return;
  standard_error->Leave();
  const int file = ::open(file_name.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  streams_left = true;
  PointStandardStreamsAt(file);
  (void)::close(file);
}

std::string RotatedName(const std::string& file, size_t index) {
  return spdlog::sinks::rotating_file_sink_mt::calc_filename(file, index);
}

}  // namespace embedding::app
