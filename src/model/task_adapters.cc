#include "model/task_adapters.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/json_value.h"
#include "model/families/config_fields.h"
#include "model/file_formats.h"
#include "model/files.h"
#include "weights/model_error.h"
#include "weights/tensor_store.h"

namespace embedding {
namespace {

std::string PathOf(const std::string& directory, const std::string& task, std::string_view file) {
  return (std::filesystem::path(directory) / kAdaptersFolder / task / file).string();
}

// Fields with which peft computes something else. Those of lists and of objects may be empty.
Status ExpectPlain(const JsonValue& config) {
  RETURN_IF_ERROR(ExpectName(config, "peft_type", "LORA"));
  RETURN_IF_ERROR(ExpectName(config, "bias", "none"));
  for (const char* const flag :
       {"use_dora", "use_rslora", "use_qalora", "use_bdlora", "lora_bias", "fan_in_fan_out"}) {
    RETURN_IF_ERROR(ExpectFlag(config, flag, false));
  }
  for (const char* const name : {"modules_to_save", "rank_pattern", "alpha_pattern",
                                 "layer_replication", "alora_invocation_tokens", "arrow_config"}) {
    const auto value = config.Find(name);
    if (!value) continue;
    const bool is_empty = value->is_array()    ? value->Elements()->empty()
                          : value->is_object() ? value->Fields().empty()
                                               : false;
    if (!is_empty) return config.Wrong(name, "empty");
  }
  return {};
}

Result<Adapters> ReadAdapterConfig(const std::string& path) {
  ASSIGN_OR_RETURN(const JsonValue config, JsonValue::ObjectFromFile(path));
  RETURN_IF_ERROR(ExpectPlain(config));
  Adapters adapters;
  ASSIGN_OR_RETURN(adapters.rank, ReadSize(config, "r", kMaxWidth));
  ASSIGN_OR_RETURN(adapters.scale, ReadAdapterScale(config, adapters.rank));
  return adapters;
}

// A task's file, and which of its tensors have been asked for.
class TaskFile {
 public:
  static Result<TaskFile> Open(const std::string& path) {
    ASSIGN_OR_RETURN(TensorStore store, TensorStore::OpenFile(path));
    return TaskFile(path, std::move(store));
  }

  // Of a Linear, "lora_A" or "lora_B", [rows, columns]; none where the task has none. A model that
  // is below another one was trained by that one's names.
  Result<std::optional<TensorView>> Find(const std::string& linear, std::string_view prefix,
                                         std::string_view factor, size_t rows, size_t columns) {
    const std::string below = "base_model.model.";
    std::string name = linear + "." + std::string(factor) + ".weight";
    const std::string outer = below + std::string(prefix) + "." + name;
    name = below + name;
    if (store_.Find(name) == nullptr && store_.Find(outer) != nullptr) name = outer;
    if (store_.Find(name) == nullptr) return std::optional<TensorView>();
    used_.insert(name);
    const int64_t shape[] = {static_cast<int64_t>(rows), static_cast<int64_t>(columns)};
    ASSIGN_OR_RETURN(TensorView view, store_.Require(name, shape));
    return std::optional(std::move(view));
  }

  // What has not been asked for would be left out without a word.
  Status CheckAllUsed() const {
    for (const auto& [name, view] : store_.tensors()) {
      if (used_.contains(name)) continue;
      return ModelError(
          "{}: tensor {} is none of an adapter of a layer's Linear; others are not "
          "supported",
          path_, Quoted(name));
    }
    return {};
  }

 private:
  TaskFile(std::string path, TensorStore store)
      : path_(std::move(path)), store_(std::move(store)) {}

  std::string path_;
  TensorStore store_;
  std::set<std::string> used_;
};

// The tasks' matrices one after the other, [tasks, rows, columns]; nothing where none has one.
Result<std::optional<TensorView>> Stack(std::vector<TaskFile>& files, const std::string& linear,
                                        std::string_view prefix, std::string_view factor,
                                        size_t rows, size_t columns) {
  const size_t size = rows * columns;
  std::vector<float> numbers;  // empty until a task has one
  for (size_t i = 0; i < files.size(); ++i) {
    ASSIGN_OR_RETURN(const auto view, files[i].Find(linear, prefix, factor, rows, columns));
    if (!view) continue;
    numbers.resize(files.size() * size);
    CopyToF32(*view, std::span(numbers).subspan(i * size, size));
  }
  if (numbers.empty()) return std::optional<TensorView>();
  return std::optional(MakeTensor({static_cast<int64_t>(files.size()), static_cast<int64_t>(rows),
                                   static_cast<int64_t>(columns)},
                                  numbers));
}

}  // namespace

Result<Adapters> ReadTaskAdapters(const std::string& directory,
                                  const std::vector<std::string>& tasks) {
  std::optional<Adapters> all;
  for (const std::string& task : tasks) {
    if (!IsPlainName(task)) {
      return ModelError("{}/config.json: task_names has {}, which is no name of a folder",
                        directory, Quoted(task));
    }
    const std::string path = PathOf(directory, task, "adapter_config.json");
    ASSIGN_OR_RETURN(const Adapters read, ReadAdapterConfig(path));
    if (!all) all = read;
    if (all->rank != read.rank || all->scale != read.scale) {
      return ModelError(
          "{}: r and lora_alpha are not those of task {}; different ones are not "
          "supported",
          path, Quoted(tasks.front()));
    }
  }
  if (!all) return ModelError("{}/config.json: task_names is empty", directory);
  all->count = tasks.size();
  return *all;
}

Status ReadTaskAdapterTensors(const std::string& directory, const std::vector<std::string>& tasks,
                              const Adapters& adapters, std::string_view prefix,
                              EncoderTensors& tensors) {
  std::vector<TaskFile> files;
  for (const std::string& task : tasks) {
    ASSIGN_OR_RETURN(TaskFile file,
                     TaskFile::Open(PathOf(directory, task, "adapter_model.safetensors")));
    files.push_back(std::move(file));
  }
  for (LayerTensors& layer : tensors.layers) {
    for (LinearTensors* const linear : LinearsOf(layer)) {
      const std::string name =
          prefix.empty() ? linear->name : linear->name.substr(prefix.size() + 1);
      ASSIGN_OR_RETURN(auto a,
                       Stack(files, name, prefix, "lora_A", adapters.rank, linear->in_features()));
      ASSIGN_OR_RETURN(auto b,
                       Stack(files, name, prefix, "lora_B", linear->out_features(), adapters.rank));
      if (a.has_value() != b.has_value()) {
        return ModelError("{}: of {} there is one of lora_A and lora_B alone",
                          PathOf(directory, "*", "adapter_model.safetensors"), name);
      }
      if (a) linear->adapters = AdapterTensors{std::move(*a), std::move(*b)};
    }
  }
  for (const TaskFile& file : files) RETURN_IF_ERROR(file.CheckAllUsed());
  return {};
}

}  // namespace embedding
