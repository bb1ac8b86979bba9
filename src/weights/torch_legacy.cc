#include "weights/torch_legacy.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "weights/little_endian.h"
#include "weights/model_error.h"
#include "weights/pickle.h"
#include "weights/torch_state_dict.h"

namespace embedding {
namespace {

using namespace std::string_view_literals;

// The pickles of 0x1950a86a20f9469cfc6c and of 1001, by protocol 2.
constexpr std::string_view kMagic = "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv;
constexpr std::string_view kVersion = "\x80\x02M\xe9\x03."sv;

Result<PickleDocument> TakePickle(std::span<const std::byte>& file, std::string_view what) {
  Result<PickleDocument> pickle = ReadFirstPickle(file, TorchGlobals());
  if (!pickle.ok()) return std::move(pickle).error().At(what);
  return pickle;
}

Status CheckMachine(const PickleDocument& machine) {
  const PickleValue& fields = machine[machine.root];
  for (size_t i = 0; i + 1 < fields.items.size(); i += 2) {
    const PickleValue& value = machine[fields.items[i + 1]];
    if (machine[fields.items[i]].text == "little_endian" && value.kind == PickleKind::kBool &&
        value.integer == 0) {
      return ModelError("its byte order is big-endian, only little-endian tensors are read");
    }
  }
  return {};
}

// Takes the storages off the file, in the order of their keys.
Result<TorchStorages> TakeStorages(std::span<const std::byte> file, const PickleDocument& keys,
                                   const std::map<std::string, size_t>& element_bytes) {
  TorchStorages storages;
  for (const PickleId item : keys[keys.root].items) {
    const std::string key(keys[item].text);
    const auto element = element_bytes.find(key);
    if (element == element_bytes.end()) {
      return ModelError("no tensor is in its storage {}", Quoted(key));
    }
    if (file.size() < sizeof(uint64_t))
      return ModelError("the file is truncated before storage {}", Quoted(key));
    const auto elements = LoadLittleEndian<uint64_t>(file, 0);
    file = file.subspan(sizeof(uint64_t));
    if (elements > file.size() / element->second) {
      return ModelError(
          "the file is truncated: its storage {} should have {} elements of {} bytes, "
          "but {} bytes are left",
          Quoted(key), elements, element->second, file.size());
    }
    const size_t bytes = elements * element->second;
    storages.emplace(key, file.first(bytes));
    file = file.subspan(bytes);
  }
  return storages;
}

}  // namespace

bool IsLegacyTorchFile(std::span<const std::byte> file) { return AsText(file).starts_with(kMagic); }

Result<TensorMap> ReadLegacyTorchFile(std::span<const std::byte> file) {
  file = file.subspan(kMagic.size());
  if (!AsText(file).starts_with(kVersion)) {
    return ModelError("is in the format of PyTorch before 1.6, but not of version 1001");
  }
  file = file.subspan(kVersion.size());
  ASSIGN_OR_RETURN(const PickleDocument machine, TakePickle(file, "the machine's pickle"));
  RETURN_IF_ERROR(CheckMachine(machine));
  ASSIGN_OR_RETURN(const PickleDocument tensors, TakePickle(file, "the tensors' pickle"));
  ASSIGN_OR_RETURN(const PickleDocument keys, TakePickle(file, "the storages' pickle"));
  ASSIGN_OR_RETURN(const auto element_bytes, StorageElementBytes(tensors));
  ASSIGN_OR_RETURN(const TorchStorages storages, TakeStorages(file, keys, element_bytes));
  return ReadStateDict(tensors, storages);
}

}  // namespace embedding
