// The adapters of a model that has one for each task, as peft saves them, each in a folder of its
// own: adapters/TASK/adapter_config.json and adapters/TASK/adapter_model.safetensors.
//
// Errors: kModelLoad, naming the file and the field or the tensor.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

// What they are like, of which the tasks must have the same: the rank (r) and the scale
// (lora_alpha / r). Refuses what is not the sum of a weight and a product of low rank.
Result<Adapters> ReadTaskAdapters(const std::string& directory,
                                  const std::vector<std::string>& tasks);

// Gives the layers' Linears theirs, copies in f32; a task that leaves one as it is has zeros there.
// `prefix` is what the encoder's names have before them in its own file.
Status ReadTaskAdapterTensors(const std::string& directory, const std::vector<std::string>& tasks,
                              const Adapters& adapters, std::string_view prefix,
                              EncoderTensors& tensors);

}  // namespace embedding
