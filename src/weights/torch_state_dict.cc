// In the pickle a tensor is the call
//   torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)
// and its storage a persistent id, ("storage", torch.FloatStorage, KEY, device, elements).

#include "weights/torch_state_dict.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "weights/model_error.h"
#include "weights/shape.h"

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

struct StorageId {
  DType dtype = DType::kF32;
  std::string_view key;
  int64_t elements = 0;
};

Result<int64_t> ReadInteger(const PickleValue& value, std::string_view what) {
  if (value.kind != PickleKind::kInt) {
    return ModelError("its {} is {}, not an integer", what, PickleKindName(value.kind));
  }
  if (value.integer < 0) return ModelError("its {} is negative: {}", what, value.integer);
  return value.integer;
}

// ("storage", type, key, device, elements), and before PyTorch 1.6 a part of another storage, or
// None.
Result<StorageId> ReadStorageId(const PickleDocument& pickle, const PickleValue& value) {
  const Error malformed = ModelError("its storage is not described as torch.save does it");
  if (value.kind != PickleKind::kPersistentId) return malformed;
  const PickleValue& id = pickle[value.items[0]];
  if (id.kind != PickleKind::kTuple || id.items.size() < 5 || id.items.size() > 6) return malformed;
  const PickleValue& tag = pickle[id.items[0]];
  const PickleValue& type = pickle[id.items[1]];
  const PickleValue& key = pickle[id.items[2]];
  if (tag.text != "storage" || type.kind != PickleKind::kGlobal ||
      key.kind != PickleKind::kString || key.text.size() > kMaxKeyBytes ||
      (id.items.size() == 6 && pickle[id.items[5]].kind != PickleKind::kNone)) {
    return malformed;
  }
  const auto* const storage_type =
      std::find_if(std::begin(kStorages), std::end(kStorages),
                   [&](const auto& known) { return known.first == type.text; });
  if (storage_type == std::end(kStorages)) return malformed;
  ASSIGN_OR_RETURN(const int64_t elements, ReadInteger(pickle[id.items[4]], "storage size"));
  return StorageId{storage_type->second, key.text, elements};
}

// The stride of a dimension of size 1 means nothing, and an empty tensor has no elements to lay
// out.
bool IsContiguous(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return true;
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];  // at most the number of elements, which fits
  }
  return true;
}

// Elements from the first to the last, or nothing if that overflows. No size is 0.
std::optional<size_t> Extent(const std::vector<int64_t>& shape,
                             const std::vector<int64_t>& strides) {
  uint64_t last = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    uint64_t step = 0;
    if (__builtin_mul_overflow(static_cast<uint64_t>(shape[i] - 1),
                               static_cast<uint64_t>(strides[i]), &step) ||
        __builtin_add_overflow(last, step, &last)) {
      return {};
    }
  }
  return last + 1;
}

// The tensor in a copy, row by row, of what lies in `from` with other strides (a transposed
// matrix).
TensorView Rearranged(TensorView tensor, const std::vector<int64_t>& strides,
                      std::span<const std::byte> from) {
  const size_t element_bytes = DTypeBytes(tensor.dtype);
  const size_t dimensions = tensor.shape.size();
  std::vector<std::byte> copy;
  std::vector<int64_t> index(dimensions, 0);
  for (size_t at = 0; true;) {
    const auto element = from.subspan(at * element_bytes, element_bytes);
    copy.insert(copy.end(), element.begin(), element.end());
    size_t d = dimensions;
    while (d > 0 && ++index[d - 1] == tensor.shape[d - 1]) {
      at -= static_cast<size_t>((index[d - 1] - 1) * strides[d - 1]);
      index[--d] = 0;
    }
    if (d == 0) break;
    at += static_cast<size_t>(strides[d - 1]);
  }
  return MakeTensor(tensor.dtype, std::move(tensor.shape), std::move(copy));
}

struct Storage {
  DType dtype = DType::kF32;
  std::span<const std::byte> bytes;
};

class StateDictReader {
 public:
  StateDictReader(const PickleDocument& pickle, const TorchStorages& storages)
      : pickle_(pickle), storages_(storages) {
    // As much as the file has: a few bytes of a pickle can ask for any number of copies.
    for (const auto& [key, bytes] : storages) copy_budget_bytes_ += bytes.size();
  }

  Result<TensorMap> Read() {
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

  Result<TensorView> ReadTensor(const PickleValue& value) {
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
    if (tensor.shape.size() != strides.size()) {
      return ModelError("it has {} dimensions, but {} strides", tensor.shape.size(),
                        strides.size());
    }
    const size_t element_bytes = DTypeBytes(storage.dtype);
    const size_t stored = storage.bytes.size() / element_bytes;
    const std::optional<size_t> extent = *elements == 0 ? 0 : Extent(tensor.shape, strides);
    if (!extent || static_cast<size_t>(offset) > stored ||
        *extent > stored - static_cast<size_t>(offset)) {
      return ModelError(
          "shape {} with strides {} at offset {} reaches past the end of its storage of {} "
          "elements",
          FormatShape(tensor.shape), FormatShape(strides), offset, stored);
    }
    const auto bytes =
        storage.bytes.subspan(static_cast<size_t>(offset) * element_bytes, *extent * element_bytes);
    if (IsContiguous(tensor.shape, strides)) {
      tensor.bytes = bytes;
      return tensor;
    }
    if (*elements > copy_budget_bytes_ / element_bytes) {
      return ModelError(
          "shape {} with strides {} is not contiguous, and repeats more than the file has; call "
          ".contiguous() before saving it",
          FormatShape(tensor.shape), FormatShape(strides));
    }
    copy_budget_bytes_ -= *elements * element_bytes;
    return Rearranged(std::move(tensor), strides, bytes);
  }

  Result<Storage> ReadStorage(const PickleValue& value) const {
    ASSIGN_OR_RETURN(const StorageId id, ReadStorageId(pickle_, value));
    const auto found = storages_.find(id.key);
    if (found == storages_.end()) {
      return ModelError("its storage {} is not in the archive", Quoted(id.key));
    }
    const Storage storage{.dtype = id.dtype, .bytes = found->second};
    const size_t element_bytes = DTypeBytes(storage.dtype);
    if (storage.bytes.size() % element_bytes != 0 ||
        storage.bytes.size() / element_bytes != static_cast<uint64_t>(id.elements)) {
      return ModelError("its storage {} should have {} elements of {}, but has {} bytes",
                        Quoted(id.key), id.elements, DTypeName(storage.dtype),
                        storage.bytes.size());
    }
    return storage;
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

  const PickleDocument& pickle_;
  const TorchStorages& storages_;
  size_t copy_budget_bytes_ = 0;
};

}  // namespace

std::vector<PickleGlobal> TorchGlobals() {
  using Use = PickleGlobal::Use;
  std::vector<PickleGlobal> globals = {{"collections.OrderedDict", Use::kEmptyDict},
                                       {kRebuildTensor, Use::kCall},
                                       {kRebuildParameter, Use::kCall},
                                       {"torch.Size", Use::kCall}};
  for (const auto& [name, dtype] : kStorages) globals.push_back({name, Use::kNameOnly});
  return globals;
}

Result<std::map<std::string, size_t>> StorageElementBytes(const PickleDocument& pickle) {
  std::map<std::string, size_t> bytes;
  for (const PickleValue& value : pickle.values) {
    if (value.kind != PickleKind::kPersistentId) continue;
    ASSIGN_OR_RETURN(const StorageId id, ReadStorageId(pickle, value));
    bytes.emplace(id.key, DTypeBytes(id.dtype));
  }
  return bytes;
}

Result<TensorMap> ReadStateDict(const PickleDocument& pickle, const TorchStorages& storages) {
  return StateDictReader(pickle, storages).Read();
}

}  // namespace embedding
