// The format: a little-endian u64, the header's length; the header, a JSON object
//   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ..., "__metadata__":
//   {..}}
// that may be padded with spaces; then the data, to which the offsets are relative.
//
// Checked as the safetensors library checks it: every size follows from dtype and shape, and the
// tensors, in the order of their offsets, cover the data without overlaps, holes or a rest. So a
// file has one meaning only, and one that was cut or patched is noticed before it is used.

#include "weights/safetensors.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "base/json_document.h"
#include "base/json_value.h"
#include "weights/little_endian.h"
#include "weights/model_error.h"
#include "weights/shape.h"

namespace embedding {
namespace {

constexpr size_t kLengthBytes = sizeof(uint64_t);
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the library's own limit

std::optional<DType> ParseDType(std::string_view name) {
  constexpr std::pair<std::string_view, DType> kDTypes[] = {
      {"F64", DType::kF64}, {"F32", DType::kF32},  {"F16", DType::kF16}, {"BF16", DType::kBF16},
      {"I64", DType::kI64}, {"I32", DType::kI32},  {"I16", DType::kI16}, {"I8", DType::kI8},
      {"U8", DType::kU8},   {"BOOL", DType::kBool}};
  for (const auto& [known, dtype] : kDTypes) {
    if (known == name) return dtype;
  }
  return std::nullopt;
}

// A tensor has half a dozen, and no model a hundred thousand tensors.
constexpr ptrdiff_t kMaxHeaderCommas = ptrdiff_t{2} << 20;

// One entry of the header, its place still to be compared with the others'.
struct Entry {
  std::string name;
  TensorView tensor;
  uint64_t begin = 0;
  uint64_t end = 0;
};

Result<std::vector<int64_t>> ReadShape(const JsonValue& fields) {
  const auto field = fields.Find("shape");
  if (!field || !field->is_array()) return fields.Wrong("shape", "an array of integers");
  ASSIGN_OR_RETURN(const std::vector<JsonValue> dimensions, field->Elements());
  std::vector<int64_t> shape;
  for (const JsonValue& dimension : dimensions) {
    const Result<int64_t> size = dimension.AsInteger(0, INT64_MAX);
    if (!size.ok()) {
      return ModelError("{}: shape must hold non-negative integers, but holds {}", fields.place(),
                        dimension.Shown());
    }
    shape.push_back(*size);
  }
  return shape;
}

Result<std::pair<uint64_t, uint64_t>> ReadOffsets(const JsonValue& fields) {
  const auto wrong = [&] {
    return ModelError("{}: data_offsets must be two non-negative integers", fields.place());
  };
  const auto field = fields.Find("data_offsets");
  if (!field || !field->is_array()) return wrong();
  ASSIGN_OR_RETURN(const std::vector<JsonValue> offsets, field->Elements());
  if (offsets.size() != 2) return wrong();
  uint64_t begin = 0;
  uint64_t end = 0;
  if (offsets[0].element().get(begin) != simdjson::SUCCESS ||
      offsets[1].element().get(end) != simdjson::SUCCESS) {
    return wrong();
  }
  return std::pair(begin, end);
}

Result<Entry> ReadEntry(const std::string& name, const JsonValue& value, size_t data_bytes) {
  const JsonValue fields = value.Named(fmt::format("tensor {}", Quoted(name)));
  RETURN_IF_ERROR(fields.ExpectObject());
  Entry entry{.name = name, .tensor = {}};
  ASSIGN_OR_RETURN(const std::string dtype_name, fields.String("dtype"));
  const std::optional<DType> dtype = ParseDType(dtype_name);
  if (!dtype) {
    return ModelError("{}: dtype {} is not supported", fields.place(), Quoted(dtype_name));
  }
  entry.tensor.dtype = *dtype;
  ASSIGN_OR_RETURN(entry.tensor.shape, ReadShape(fields));
  const std::optional<size_t> elements = CountElements(entry.tensor.shape);
  if (!elements) {
    return ModelError("{}: the size of shape {} overflows", fields.place(),
                      FormatShape(entry.tensor.shape));
  }

  ASSIGN_OR_RETURN(std::tie(entry.begin, entry.end), ReadOffsets(fields));
  if (entry.begin > entry.end) {
    return ModelError("{}: data_offsets [{}, {}] end before they begin", fields.place(),
                      entry.begin, entry.end);
  }
  if (entry.end > data_bytes) {
    return ModelError(
        "{}: data_offsets [{}, {}] are past the end of the file's {} data bytes; "
        "the file may be truncated",
        fields.place(), entry.begin, entry.end, data_bytes);
  }
  if (entry.end - entry.begin != *elements * DTypeBytes(*dtype)) {
    return ModelError("{}: dtype {} and shape {} take {} bytes, but data_offsets [{}, {}] hold {}",
                      fields.place(), dtype_name, FormatShape(entry.tensor.shape),
                      *elements * DTypeBytes(*dtype), entry.begin, entry.end,
                      entry.end - entry.begin);
  }
  return entry;
}

Status CheckCoverage(std::vector<Entry>& entries, size_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t covered = 0;
  const Entry* previous = nullptr;
  for (const Entry& entry : entries) {
    if (entry.begin < covered) {
      return ModelError("tensors {} and {} overlap", Quoted(previous->name), Quoted(entry.name));
    }
    if (entry.begin > covered) {
      return ModelError("a hole of {} bytes before tensor {}: no tensor covers them",
                        entry.begin - covered, Quoted(entry.name));
    }
    covered = entry.end;
    previous = &entry;
  }
  if (covered != data_bytes) {
    return ModelError("{} bytes at the end of the file belong to no tensor", data_bytes - covered);
  }
  return {};
}

}  // namespace

Result<TensorMap> ReadSafetensors(std::span<const std::byte> file) {
  if (file.size() < kLengthBytes) {
    return ModelError("{} bytes are too few for a safetensors file", file.size());
  }
  const auto header_bytes = LoadLittleEndian<uint64_t>(file, 0);
  if (header_bytes > kMaxHeaderBytes) {
    return ModelError("not a safetensors file: its header would be {} bytes long", header_bytes);
  }
  if (header_bytes > file.size() - kLengthBytes) {
    return ModelError("truncated: the header is {} bytes long, but only {} bytes follow",
                      header_bytes, file.size() - kLengthBytes);
  }
  const std::string_view header = AsText(file.subspan(kLengthBytes, header_bytes));
  if (!header.starts_with('{')) return ModelError("the header does not begin with '{{'");
  if (std::count(header.begin(), header.end(), ',') > kMaxHeaderCommas) {
    return ModelError("the header has more tensors than any model");
  }
  ASSIGN_OR_RETURN(const JsonValue json, JsonValue::Parse(header, "header"));

  const std::span<const std::byte> data = file.subspan(kLengthBytes + header_bytes);
  std::vector<Entry> entries;
  const auto fields = json.Fields();
  std::unordered_set<std::string_view> names;
  for (const auto& [name, value] : fields) {
    if (!names.insert(name).second) {
      return ModelError("header: the name {} is there twice", Quoted(name));
    }
  }
  for (const auto& [name, value] : fields) {
    if (name == "__metadata__") continue;
    ASSIGN_OR_RETURN(Entry entry, ReadEntry(std::string(name), value, data.size()));
    entries.push_back(std::move(entry));
  }
  RETURN_IF_ERROR(CheckCoverage(entries, data.size()));

  TensorMap tensors;
  for (Entry& entry : entries) {
    entry.tensor.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    tensors.emplace(std::move(entry.name), std::move(entry.tensor));
  }
  return tensors;
}

}  // namespace embedding
