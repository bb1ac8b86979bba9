#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "app/logging.h"
#include "app/server_process.h"
#include "base/json_value.h"
#include "base/json_writer.h"
#include "base/quoted.h"
#include "cli/commands.h"
#include "cli/ending.h"
#include "cli/instance_options.h"
#include "cli/option_values.h"
#include "cli/options.h"
#include "cli/standard_streams.h"
#include "hub/probe.h"

namespace embedding::cli {
namespace {

struct StatusOptions {
  InstanceOptions instance;
  bool json = false;
};

void AddStatusOptions(CLI::App& app, StatusOptions& options) {
  AddInstanceOptions(app, options.instance);
  app.add_option("--json", options.json, "Prints an object of JSON instead of text")
      ->transform(Switch())
      ->default_str("false");
}

struct Condition {
  std::string name;
  bool runs = false;
  app::InstanceRecord record;
  std::string health;
  uint64_t memory_bytes = 0;
};

// "healthy", or what else its /health says.
std::string HealthOf(const app::InstanceRecord& record) {
  if (record.url.empty()) return "starting";
  const ProbeAnswer answer = Probe(record.url, "/health");
  if (answer.status == 0) return "no answer: " + answer.problem;
  const auto json = JsonValue::Parse(answer.body, "/health");
  const Result<std::string> status = json.ok() ? json->String("status") : Error{};
  return status.ok() ? Printable(*status, 100) : "answers " + std::to_string(answer.status);
}

std::string UpTime(int64_t seconds) {
  const std::chrono::seconds all(std::max<int64_t>(0, seconds));
  const auto days = all / std::chrono::hours(24);
  const auto rest = all % std::chrono::hours(24);
  return days > 0 ? fmt::format("{} days {:%H:%M:%S}", days, rest) : fmt::format("{:%T}", rest);
}

int64_t SecondsSince(int64_t then) {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
             .count() -
         then;
}

void PrintJson(const Condition& it) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject().Key("name").String(it.name).Key("running").Bool(it.runs);
  if (it.runs) {
    json.Key("pid").Integer(it.record.pid).Key("url").String(it.record.url);
    json.Key("model").String(it.record.model).Key("health").String(it.health);
    json.Key("uptime_seconds").Integer(SecondsSince(it.record.started));
    json.Key("memory_bytes").Integer(it.memory_bytes);
  }
  json.Key("log_file").String(it.record.log_file).EndObject();
  std::puts(text.c_str());
}

void PrintText(const Condition& it) {
  if (!it.runs) {
    const bool stopped = it.record.pid == 0;
    std::puts(fmt::format("The server {} does not run{}", it.name,
                          stopped ? ""
                                  : fmt::format(": process {} has ended without being stopped; "
                                                "embedding-service logs shows why",
                                                it.record.pid))
                  .c_str());
    return;
  }
  constexpr double kMegabyte = 1e6;
  std::puts(fmt::format("The server {} runs\n"
                        "  process  {}\n"
                        "  url      {}\n"
                        "  model    {}\n"
                        "  health   {}\n"
                        "  up       {}\n"
                        "  memory   {:.0f} MB\n"
                        "  log      {}",
                        it.name, it.record.pid, it.record.url.empty() ? "-" : it.record.url,
                        it.record.model, it.health, UpTime(SecondsSince(it.record.started)),
                        static_cast<double>(it.memory_bytes) / kMegabyte, it.record.log_file)
                .c_str());
}

}  // namespace

void DescribeStatus(CLI::App& app) {
  static StatusOptions options;
  AddStatusOptions(app, options);
}

int ShowStatus(int argc, char** argv) {
  StatusOptions options;
  CLI::App app("Says whether a server in the background runs. Exit code 0 if it does, 3 if not.",
               "embedding-service status");
  AddStatusOptions(app, options);
  if (const Status logging = app::StartLogging({}); !logging.ok()) return Report(logging.error());
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;
  Condition it;
  const Result<KnownInstance> known = KnownInstanceOf(options.instance.name, options.instance.port);
  if (!known.ok() && (!options.json || known.error().code != ErrorCode::kNotFound)) {
    const int code = Report(known.error());
    return known.error().code == ErrorCode::kNotFound ? kExitNotRunning : code;
  }
  if (known.ok()) {
    it.name = known->instance.name();
    it.record = known->record;
    it.runs = RunningServerOf(known->instance, known->record).has_value();
  } else {
    it.name = options.instance.name.empty() ? std::to_string(options.instance.port)
                                            : options.instance.name;
  }
  if (it.runs) {
    it.health = HealthOf(it.record);
    it.memory_bytes = app::ResidentBytes(it.record.pid);
  }
  options.json ? PrintJson(it) : PrintText(it);
  if (const Status printed = FlushStandardOutput(); !printed.ok()) return Report(printed.error());
  return it.runs ? kExitOk : kExitNotRunning;
}

}  // namespace embedding::cli
