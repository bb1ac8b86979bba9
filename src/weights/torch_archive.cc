// An archive named NAME has the entries NAME/data.pkl, NAME/byteorder and NAME/data/KEY, one for
// each storage.

#include "weights/torch_archive.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weights/little_endian.h"
#include "weights/model_error.h"
#include "weights/pickle.h"
#include "weights/torch_legacy.h"
#include "weights/torch_state_dict.h"
#include "weights/zip_archive.h"

namespace embedding {

Result<TensorMap> ReadTorchArchive(std::span<const std::byte> file) {
  if (IsLegacyTorchFile(file)) return ReadLegacyTorchFile(file);
  ASSIGN_OR_RETURN(const std::vector<ZipEntry> zip, ReadZip(file));
  std::map<std::string_view, std::span<const std::byte>> entries;
  for (const ZipEntry& entry : zip) entries.emplace(entry.name, entry.bytes);

  // Every entry is below the folder that the archive was named after.
  const std::string_view first = zip.empty() ? std::string_view() : zip.front().name;
  const std::string_view archive_name = first.substr(0, std::min(first.find('/'), size_t{256}));
  const auto data = entries.find(fmt::format("{}/data.pkl", archive_name));
  if (data == entries.end()) return ModelError("is a zip archive, but has no data.pkl in it");
  const auto byte_order = entries.find(fmt::format("{}/byteorder", archive_name));
  if (byte_order != entries.end() && AsText(byte_order->second) != "little") {
    return ModelError("its byte order is {}, only little-endian tensors are read",
                      Quoted(AsText(byte_order->second)));
  }
  TorchStorages storages;
  const std::string folder = fmt::format("{}/data/", archive_name);
  for (const auto& [name, bytes] : entries) {
    if (name.starts_with(folder)) storages.emplace(name.substr(folder.size()), bytes);
  }

  Result<PickleDocument> pickle = ReadPickle(data->second, TorchGlobals());
  if (!pickle.ok()) return std::move(pickle).error().At("data.pkl");
  return ReadStateDict(*pickle, storages);
}

}  // namespace embedding
