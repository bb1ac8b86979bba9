// Which of a model repository's files this server needs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace embedding {

// Of a repository's files (paths with '/') those that loading the model reads, sorted: the small
// JSON files, the vocabulary's where no tokenizer.json is in their place, bge-m3's heads, one form
// of the weights (safetensors if they are there, else PyTorch's, whole or sharded), and the same of
// every module's folder: 1_Pooling/, 2_Dense/, and 0_Transformer/, where models of before 2021 have
// all of it; the tasks' adapters. Never ONNX, OpenVINO, TensorFlow or Flax.
//
// The names come from a server and become paths, so this is an allow-list: a name that is chosen
// has at most two folders, and in them and in the file's name nothing but letters, digits, '.', '-'
// and '_'.
// Errors: kDownload if there is a name that is absolute or has a "..", which no repository has;
// kModelLoad if a file is missing without which no model loads.
Result<std::vector<std::string>> SelectModelFiles(const std::vector<std::string>& names);

}  // namespace embedding
