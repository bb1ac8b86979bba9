// Downloading models from the Hugging Face hub, or a mirror of it, into the hub cache.
//
// The environment says how, with the variables of Hugging Face's own tools: HF_ENDPOINT and those
// of hub_settings.h, and where the cache is (hub/hub_environment.h). Proxies are libcurl's:
// https_proxy, no_proxy.
//
// Thread-safety: any thread and any process may download at once, the same model too.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace embedding {

struct DownloadProgress {
  std::string_view file;    // the file under way; valid during the call
  uint64_t done_bytes = 0;  // of all files that were missing together
  uint64_t total_bytes = 0;
};

// Called in the downloading thread after each piece that arrives, up to thousands of times a
// second: who draws paces the drawing.
using ProgressCallback = std::function<void(const DownloadProgress&)>;

// A name is "org/name", or one that stands for several (hub/model_names.h).

// Brings the model at `revision` into the cache, as far as it is not there, and returns its
// directory there. Offline it only looks. A failure leaves what arrived, and the next
// call goes on from it. Errors: kDownload; kModelLoad for a name that no model has, for a
// repository without a model that is read here, and for what is not there offline.
Result<std::string> DownloadModel(const std::string& name, const std::string& revision = "main",
                                  const ProgressCallback& progress = nullptr);

// The directory of a model: where LocateModel finds it, else downloaded. No request is made for a
// model that is known to be there whole. A snapshot without a modules.json, which says how to pool,
// or without the configuration of a module that this names, may be what a tool left that loads bare
// encoders: the hub is asked for the rest, and if it does not answer, the snapshot is taken as it
// is.
Result<std::string> LocateOrDownloadModel(const std::string& name_or_directory,
                                          const std::string& revision = "main",
                                          const ProgressCallback& progress = nullptr);

}  // namespace embedding
