#include "weights/tensor_store.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include "base/half.h"
#include "base/json_value.h"
#include "weights/little_endian.h"
#include "weights/model_error.h"
#include "weights/path.h"
#include "weights/safetensors.h"
#include "weights/shape.h"
#include "weights/torch_archive.h"
#include "weights/weight_files.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

Result<TensorMap> ReadTensors(const MappedFile& file) {
  const std::span<const std::byte> bytes = file.bytes();
  if (bytes.empty()) return ModelError("the file is empty");
  if (AsText(bytes).starts_with("version https://git-lfs")) {
    return ModelError(
        "is a Git LFS pointer instead of the weights; fetch them with `git lfs pull`");
  }
  if (file.path().ends_with(".safetensors")) return ReadSafetensors(bytes);
  return ReadTorchArchive(bytes);
}

template <float (*Widen)(uint16_t)>
void Widen16(std::span<const std::byte> bytes, std::span<float> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = Widen(LoadLittleEndian<uint16_t>(bytes, i * sizeof(uint16_t)));
  }
}

void Widen(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  assert(bytes.size() == out.size() * DTypeBytes(dtype));
  switch (dtype) {
    case DType::kF32:
      if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
      return;
    case DType::kF64:
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<float>(
            std::bit_cast<double>(LoadLittleEndian<uint64_t>(bytes, i * sizeof(double))));
      }
      return;
    case DType::kF16:
      return Widen16<FloatFromF16>(bytes, out);
    case DType::kBF16:
      return Widen16<FloatFromBF16>(bytes, out);
    default:
      assert(false && "only tensors of floating-point numbers are taken");
  }
}

}  // namespace

size_t DTypeBytes(DType dtype) {
  switch (dtype) {
    case DType::kF64:
    case DType::kI64:
      return 8;
    case DType::kF32:
    case DType::kI32:
      return 4;
    case DType::kF16:
    case DType::kBF16:
    case DType::kI16:
      return 2;
    case DType::kI8:
    case DType::kU8:
    case DType::kBool:
      return 1;
  }
  return 1;
}

std::string_view DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kF64:
      return "f64";
    case DType::kF32:
      return "f32";
    case DType::kF16:
      return "f16";
    case DType::kBF16:
      return "bf16";
    case DType::kI64:
      return "i64";
    case DType::kI32:
      return "i32";
    case DType::kI16:
      return "i16";
    case DType::kI8:
      return "i8";
    case DType::kU8:
      return "u8";
    case DType::kBool:
      return "bool";
  }
  return "?";
}

Result<TensorStore> TensorStore::OpenDirectory(const std::string& directory) {
  for (const WeightsForm& form : kWeightsForms) {
    const std::string path = (fs::path(directory) / form.entry()).string();
    if (!IsThere(path)) continue;
    return form.sharded ? OpenIndex(path) : OpenFile(path);
  }
  return ModelError("{}: no weights: neither model.safetensors nor pytorch_model.bin is there",
                    directory);
}

Result<TensorStore> TensorStore::OpenFile(const std::string& path) {
  TensorStore store(path);
  RETURN_IF_ERROR(store.AddFile(path));
  return store;
}

// {"metadata": {...}, "weight_map": {"tensor": "model-00001-of-00002.safetensors", ...}}
Result<TensorStore> TensorStore::OpenIndex(const std::string& path) {
  ASSIGN_OR_RETURN(const JsonValue index, JsonValue::ObjectFromFile(path));
  const auto weight_map = index.Find("weight_map");
  if (!weight_map || !weight_map->is_object()) {
    return index.Wrong("weight_map", "an object of tensor names and file names");
  }
  std::set<std::string> shards;
  const auto tensors = weight_map->Fields();
  for (const auto& [name, shard] : tensors) {
    // A plain name, so that an index reaches no file outside its directory.
    const Result<std::string_view> text = shard.AsString();
    const std::string file(text.ok() ? *text : "");
    if (file.empty() || file == "." || file == ".." ||
        file.find_first_of("/\\") != std::string::npos || HasControlCharacter(file)) {
      return ModelError("{}: weight_map: tensor {} must be in a file of this directory, not in {}",
                        path, Quoted(name), shard.Shown());
    }
    shards.insert(file);
  }

  TensorStore store(path);
  for (const std::string& shard : shards) {
    RETURN_IF_ERROR(store.AddFile((fs::path(path).parent_path() / shard).string()));
  }
  for (const auto& [name, shard] : tensors) {
    if (store.Find(name) == nullptr) {
      return ModelError("{}: tensor {} is not in {}, where the index has it", path, Quoted(name),
                        shard.Shown());
    }
  }
  return store;
}

Status TensorStore::AddFile(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  Result<TensorMap> tensors = ReadTensors(file);
  if (!tensors.ok()) return std::move(tensors).error().At(path);
  tensors_.merge(*tensors);
  if (!tensors->empty()) {
    return ModelError("{}: tensor {} is in another shard as well", path,
                      Quoted(tensors->begin()->first));
  }
  files_.push_back(std::move(file));
  return {};
}

const TensorView* TensorStore::Find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

Status TensorStore::Unchanged() const {
  for (const MappedFile& file : files_) RETURN_IF_ERROR(file.Unchanged());
  return {};
}

Result<TensorView> TensorStore::Require(std::string_view name,
                                        std::span<const int64_t> shape) const {
  const TensorView* tensor = Find(name);
  if (tensor == nullptr) {
    return ModelError("{}: tensor {} of shape {} is missing", path_, Quoted(name),
                      FormatShape(shape));
  }
  const bool is_float = tensor->dtype == DType::kF32 || tensor->dtype == DType::kF16 ||
                        tensor->dtype == DType::kBF16 || tensor->dtype == DType::kF64;
  if (!is_float) {
    return ModelError("{}: tensor {} must be f32, f16, bf16 or f64, but it is {}", path_,
                      Quoted(name), DTypeName(tensor->dtype));
  }
  if (!std::equal(shape.begin(), shape.end(), tensor->shape.begin(), tensor->shape.end())) {
    return ModelError("{}: tensor {} must have shape {}, but it has {}", path_, Quoted(name),
                      FormatShape(shape), FormatShape(tensor->shape));
  }
  return *tensor;
}

TensorView MakeTensor(DType dtype, std::vector<int64_t> shape, std::vector<std::byte> bytes) {
  TensorView tensor = {.dtype = dtype, .shape = std::move(shape), .bytes = {}};
  tensor.copy = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  tensor.bytes = *tensor.copy;
  return tensor;
}

TensorView MakeTensor(std::vector<int64_t> shape, std::span<const float> numbers) {
  const auto bytes = std::as_bytes(numbers);
  return MakeTensor(DType::kF32, std::move(shape), {bytes.begin(), bytes.end()});
}

void CopyToF32(const TensorView& tensor, std::span<float> out) {
  Widen(tensor.dtype, tensor.bytes, out);
}

void CopyRowsToF32(const TensorView& tensor, size_t first_row, size_t rows, std::span<float> out) {
  const size_t row_bytes = static_cast<size_t>(tensor.shape[1]) * DTypeBytes(tensor.dtype);
  Widen(tensor.dtype, tensor.bytes.subspan(first_row * row_bytes, rows * row_bytes), out);
}

}  // namespace embedding
