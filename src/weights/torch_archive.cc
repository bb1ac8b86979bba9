// An archive named NAME has the entries NAME/data.pkl, NAME/byteorder and NAME/data/KEY, one for
// each storage. In the pickle a tensor is the call
//   torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)
// and its storage a persistent id, ("storage", torch.FloatStorage, KEY, device, elements).

#include "weights/torch_archive.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weights/little_endian.h"
#include "weights/model_error.h"
#include "weights/pickle.h"
#include "weights/shape.h"
#include "weights/zip_archive.h"

namespace embedding {
namespace {

// Many tensors may refer to one huge tuple or string; these bounds keep the work for each small.
constexpr size_t kMaxDimensions = 16;
constexpr size_t kMaxKeyBytes = 64;

constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";

constexpr std::pair<std::string_view, DType> kStorages[] = {
    {"torch.DoubleStorage", DType::kF64}, {"torch.FloatStorage", DType::kF32},
    {"torch.HalfStorage", DType::kF16},   {"torch.BFloat16Storage", DType::kBF16},
    {"torch.LongStorage", DType::kI64},   {"torch.IntStorage", DType::kI32},
    {"torch.ShortStorage", DType::kI16},  {"torch.CharStorage", DType::kI8},
    {"torch.ByteStorage", DType::kU8},    {"torch.BoolStorage", DType::kBool},
};

std::vector<PickleGlobal> AllowedGlobals() {
  using Use = PickleGlobal::Use;
  std::vector<PickleGlobal> globals = {{"collections.OrderedDict", Use::kEmptyDict},
                                       {kRebuildTensor, Use::kCall},
                                       {kRebuildParameter, Use::kCall},
                                       {"torch.Size", Use::kCall}};
  for (const auto& [name, dtype] : kStorages) globals.push_back({name, Use::kNameOnly});
  return globals;
}

struct Storage {
  DType dtype = DType::kF32;
  std::span<const std::byte> bytes;
};

class ArchiveReader {
 public:
  ArchiveReader(const std::map<std::string_view, std::span<const std::byte>>& entries,
                std::string_view archive_name, const PickleDocument& pickle)
      : entries_(entries), archive_name_(archive_name), pickle_(pickle) {}

  Result<TensorMap> ReadStateDict() const {
    const PickleValue* state_dict = &pickle_[pickle_.root];
    if (state_dict->kind != PickleKind::kDict) {
      return ModelError("holds {}, not a dictionary of tensors", PickleKindName(state_dict->kind));
    }
    if (const PickleValue* inner = FindDict(*state_dict, "state_dict")) state_dict = inner;

    TensorMap tensors;
    for (size_t i = 0; i + 1 < state_dict->items.size(); i += 2) {
      const PickleValue& key = pickle_[state_dict->items[i]];
      if (key.kind != PickleKind::kString) {
        return ModelError("a tensor's name is {}, not a string", PickleKindName(key.kind));
      }
      Result<TensorView> tensor = ReadTensor(pickle_[state_dict->items[i + 1]]);
      if (!tensor.ok()) {
        return std::move(tensor).error().At(fmt::format("tensor {}", Quoted(key.text)));
      }
      if (!tensors.emplace(key.text, *std::move(tensor)).second) {
        return ModelError("tensor {} is there twice", Quoted(key.text));
      }
    }
    return tensors;
  }

 private:
  const PickleValue* FindDict(const PickleValue& dict, std::string_view name) const {
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleValue& key = pickle_[dict.items[i]];
      const PickleValue& value = pickle_[dict.items[i + 1]];
      if (key.kind == PickleKind::kString && key.text == name && value.kind == PickleKind::kDict) {
        return &value;
      }
    }
    return nullptr;
  }

  // The arguments if `value` is a call of `callee` with at least `count` of them, else nullptr.
  const std::vector<PickleId>* CallArguments(const PickleValue& value, std::string_view callee,
                                             size_t count) const {
    if (value.kind != PickleKind::kCall || pickle_[value.items[0]].text != callee) return nullptr;
    const std::vector<PickleId>& arguments = pickle_[value.items[1]].items;
    return arguments.size() < count ? nullptr : &arguments;
  }

  Result<TensorView> ReadTensor(const PickleValue& value) const {
    // A parameter is a tensor that is trained: _rebuild_parameter(tensor, requires_grad, hooks).
    const auto* parameter = CallArguments(value, kRebuildParameter, 1);
    const PickleValue& call = parameter != nullptr ? pickle_[(*parameter)[0]] : value;
    const auto* arguments = CallArguments(call, kRebuildTensor, 4);
    if (arguments == nullptr) {
      return ModelError("is {}, not a tensor as torch.save writes it", PickleKindName(call.kind));
    }
    ASSIGN_OR_RETURN(const Storage storage, ReadStorage(pickle_[(*arguments)[0]]));
    ASSIGN_OR_RETURN(const int64_t offset, ReadInteger(pickle_[(*arguments)[1]], "offset"));
    TensorView tensor{.dtype = storage.dtype, .shape = {}, .bytes = {}};
    ASSIGN_OR_RETURN(tensor.shape, ReadIntegers(pickle_[(*arguments)[2]], "shape"));
    ASSIGN_OR_RETURN(const std::vector<int64_t> strides,
                     ReadIntegers(pickle_[(*arguments)[3]], "strides"));

    const std::optional<size_t> elements = CountElements(tensor.shape);
    if (!elements) return ModelError("the size of shape {} overflows", FormatShape(tensor.shape));
    RETURN_IF_ERROR(CheckContiguous(tensor.shape, strides));
    const size_t element_bytes = DTypeBytes(storage.dtype);
    const size_t stored = storage.bytes.size() / element_bytes;
    if (static_cast<size_t>(offset) > stored || *elements > stored - static_cast<size_t>(offset)) {
      return ModelError("shape {} at offset {} reaches past the end of its storage of {} elements",
                        FormatShape(tensor.shape), offset, stored);
    }
    tensor.bytes = storage.bytes.subspan(static_cast<size_t>(offset) * element_bytes,
                                         *elements * element_bytes);
    return tensor;
  }

  Result<Storage> ReadStorage(const PickleValue& value) const {
    const Error malformed = ModelError("its storage is not described as torch.save does it");
    if (value.kind != PickleKind::kPersistentId) return malformed;
    const PickleValue& id = pickle_[value.items[0]];
    if (id.kind != PickleKind::kTuple || id.items.size() != 5) return malformed;
    const PickleValue& tag = pickle_[id.items[0]];
    const PickleValue& type = pickle_[id.items[1]];
    const PickleValue& key = pickle_[id.items[2]];
    if (tag.text != "storage" || type.kind != PickleKind::kGlobal ||
        key.kind != PickleKind::kString || key.text.size() > kMaxKeyBytes) {
      return malformed;
    }
    const auto* const storage_type =
        std::find_if(std::begin(kStorages), std::end(kStorages),
                     [&](const auto& known) { return known.first == type.text; });
    if (storage_type == std::end(kStorages)) return malformed;
    ASSIGN_OR_RETURN(const int64_t elements, ReadInteger(pickle_[id.items[4]], "storage size"));

    const auto entry = entries_.find(fmt::format("{}/data/{}", archive_name_, key.text));
    if (entry == entries_.end()) {
      return ModelError("its storage {} is not in the archive", Quoted(key.text));
    }
    const Storage storage{.dtype = storage_type->second, .bytes = entry->second};
    const size_t element_bytes = DTypeBytes(storage.dtype);
    if (storage.bytes.size() % element_bytes != 0 ||
        storage.bytes.size() / element_bytes != static_cast<uint64_t>(elements)) {
      return ModelError("its storage {} should have {} elements of {}, but has {} bytes",
                        Quoted(key.text), elements, DTypeName(storage.dtype), storage.bytes.size());
    }
    return storage;
  }

  static Result<int64_t> ReadInteger(const PickleValue& value, std::string_view what) {
    if (value.kind != PickleKind::kInt) {
      return ModelError("its {} is {}, not an integer", what, PickleKindName(value.kind));
    }
    if (value.integer < 0) return ModelError("its {} is negative: {}", what, value.integer);
    return value.integer;
  }

  Result<std::vector<int64_t>> ReadIntegers(const PickleValue& value, std::string_view what) const {
    if (value.kind != PickleKind::kTuple) {
      return ModelError("its {} is {}, not a tuple", what, PickleKindName(value.kind));
    }
    if (value.items.size() > kMaxDimensions) {
      return ModelError("it has {} dimensions, at most {} are read", value.items.size(),
                        kMaxDimensions);
    }
    std::vector<int64_t> integers;
    for (const PickleId item : value.items) {
      ASSIGN_OR_RETURN(const int64_t integer, ReadInteger(pickle_[item], what));
      integers.push_back(integer);
    }
    return integers;
  }

  // The stride of a dimension of size 1 means nothing, and an empty tensor has no elements to lay
  // out.
  static Status CheckContiguous(const std::vector<int64_t>& shape,
                                const std::vector<int64_t>& strides) {
    if (shape.size() != strides.size()) {
      return ModelError("it has {} dimensions, but {} strides", shape.size(), strides.size());
    }
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return {};
    int64_t expected = 1;
    for (size_t i = shape.size(); i-- > 0;) {
      if (shape[i] != 1 && strides[i] != expected) {
        return ModelError(
            "it is not contiguous (shape {}, strides {}); call .contiguous() before saving it",
            FormatShape(shape), FormatShape(strides));
      }
      expected *= shape[i];  // at most the number of elements, which fits
    }
    return {};
  }

  const std::map<std::string_view, std::span<const std::byte>>& entries_;
  const std::string_view archive_name_;
  const PickleDocument& pickle_;
};

}  // namespace

Result<TensorMap> ReadTorchArchive(std::span<const std::byte> file) {
  // torch.save before 1.6 wrote pickles in a row, the first of which is a magic number.
  constexpr std::string_view kLegacyMagic = "\x80\x02\x8a\x0al\xfc\x9c";
  if (AsText(file).starts_with(kLegacyMagic)) {
    return ModelError(
        "is in the format of PyTorch before 1.6; load it with torch.load and save it again");
  }
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

  Result<PickleDocument> pickle = ReadPickle(data->second, AllowedGlobals());
  if (!pickle.ok()) return std::move(pickle).error().At("data.pkl");
  return ArchiveReader(entries, archive_name, *pickle).ReadStateDict();
}

}  // namespace embedding
