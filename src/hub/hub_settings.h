// How to reach the hub, from the environment variables that Hugging Face's own tools read.
#pragma once

#include <string>

#include "base/result.h"

namespace embedding {

struct HubSettings {
  std::string endpoint;  // $HF_ENDPOINT, else https://huggingface.co; no '/' at its end
  // $HF_TOKEN, else $HUGGING_FACE_HUB_TOKEN, else the file $HF_TOKEN_PATH or <home>/token; or
  // empty, as it is if $HF_HUB_DISABLE_IMPLICIT_TOKEN is true.
  std::string token;
  // The variable that forbids the network: HF_HUB_OFFLINE, or in its absence TRANSFORMERS_OFFLINE,
  // if it is 1, on, yes or true; else empty.
  std::string offline_by;
  long stall_timeout_s = 10;  // $HF_HUB_DOWNLOAD_TIMEOUT: how long a server may send nothing
  long etag_timeout_s = 10;   // $HF_HUB_ETAG_TIMEOUT: the same, when asked what a file is
};

// Errors: kDownload for a value that cannot be meant.
Result<HubSettings> ReadHubSettings();

}  // namespace embedding
