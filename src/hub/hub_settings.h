// How to reach the hub, from the environment variables that Hugging Face's own tools read.
#pragma once

#include <string>

#include "base/result.h"

namespace embedding {

struct HubSettings {
  std::string endpoint;       // $HF_ENDPOINT, else https://huggingface.co; no '/' at its end
  std::string token;          // $HF_TOKEN, else the file $HF_TOKEN_PATH or <home>/token; or empty
  bool offline = false;       // $HF_HUB_OFFLINE is 1, on, yes or true
  long stall_timeout_s = 10;  // $HF_HUB_DOWNLOAD_TIMEOUT: how long a server may send nothing
};

// Errors: kModelLoad for a value that cannot be meant.
Result<HubSettings> ReadHubSettings();

}  // namespace embedding
