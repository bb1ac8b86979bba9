// Downloading one file into the cache's blobs.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "hub/http_client.h"
#include "hub/hub_api.h"
#include "hub/model_cache.h"

namespace embedding {

// Called with how much of the file is there, now and then; less than before if it has to start
// over.
using BlobProgress = std::function<void(uint64_t bytes)>;

// Sees to it that the blob of `file` is in the cache. Bytes go to <etag>.incomplete, which outlives
// a failure: the next call, of this process or another, goes on from there. The blob gets its name
// only when its size is right and, for a large file, its SHA-256 is.
// Waits while another process downloads the same blob. Errors: kDownload.
Status DownloadBlob(HttpClient& http, const HubSettings& settings, const ModelRevision& model,
                    const RemoteFile& file, const ModelCache& cache, const BlobProgress& progress);

}  // namespace embedding
