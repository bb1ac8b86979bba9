// Where a model is on this machine: a directory, or a snapshot in the Hugging Face hub's cache.
//
// The cache is the one that Python's huggingface_hub keeps, so a model that any of its users has
// fetched is found, and what embedding-service fetches they find:
//
//   <cache>/models--<org>--<name>/refs/<revision>       a file that holds a commit's hash
//                                /snapshots/<commit>/   the model's files, links into blobs/
//                                /blobs/<etag>          their contents
//
// Nothing here touches the network or writes anything. Thread-safety: functions of the file system
// and the environment; any thread may call them while none changes the environment.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace embedding {

// The directory of a model's files. An existing directory is taken as it is, if it may be a model's
// (model/model_directory.h); anything else is a name ("BAAI/bge-m3", or
// "all-MiniLM-L6-v2": hub/model_names.h) looked up in the cache at `revision`: a branch, a tag
// or a full commit hash. A snapshot counts only with config.json, tokenizer.json and weights: other
// tools fetch single files. Errors: kModelLoad, saying where was looked, or what to give instead.
Result<std::string> LocateModel(const std::string& name_or_directory,
                                const std::string& revision = "main");

// Whether this can only be meant as a path: it exists, or has a form or an ending that no name has.
bool IsPath(std::string_view given);

// The cache of one model, be it there or not: models--<org>--<name> in HubCacheDirectory(). The id
// has to be valid.
std::string HubModelDirectory(std::string_view id);

// Whether this is a full commit hash: 40 lower-case hexadecimal digits.
bool IsCommitHash(std::string_view revision);

// Errors: kModelLoad unless this can name a branch, a tag or a commit ("main", "v1.5",
// "refs/pr/3"), and, as a path below refs/, stays there.
Status CheckRevision(std::string_view revision);

}  // namespace embedding
