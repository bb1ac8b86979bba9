#include "api/metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace embedding::api {

void Metrics::Count(const std::string& path, int status, std::chrono::duration<double> duration) {
  MutexLock lock(mutex_);
  Answers& answers = answers_[{path, status}];
  ++answers.count;
  answers.seconds += duration.count();
}

std::string Metrics::Text() const {
  std::string counts =
      "# HELP te_request_count Requests that were answered.\n# TYPE te_request_count counter\n";
  std::string durations =
      "# HELP te_request_duration Seconds from a request's arrival to its answer.\n"
      "# TYPE te_request_duration summary\n";
  MutexLock lock(mutex_);
  for (const auto& [key, answers] : answers_) {
    const std::string labels = fmt::format(R"({{path="{}",status="{}"}})", key.first, key.second);
    fmt::format_to(std::back_inserter(counts), "te_request_count{} {}\n", labels, answers.count);
    fmt::format_to(std::back_inserter(durations),
                   "te_request_duration_sum{} {}\nte_request_duration_count{} {}\n", labels,
                   answers.seconds, labels, answers.count);
  }
  return counts + durations;
}

}  // namespace embedding::api
