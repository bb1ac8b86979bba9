// TensorStore: the named tensors of a model's weight files, as views into the mapped files.
//
// Reads safetensors (`model.safetensors`) and what torch.save writes (`pytorch_model.bin`), each
// either one file or sharded with its index (`*.index.json`). Nothing is copied but what is not
// row-major: a TensorView points into the page cache. A pickle is interpreted by a reader that
// knows only what a plain state dict needs and executes nothing; anything else in it is refused by
// name.
//
// Thread-safety: immutable after opening. Views live as long as the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "base/result.h"

namespace embedding {

enum class DType { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

size_t DTypeBytes(DType dtype);
std::string_view DTypeName(DType dtype);

// A row-major, contiguous tensor in somebody else's memory, or in a copy where it was not row-major
// there. Little-endian; `bytes` may be unaligned.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  std::shared_ptr<const std::vector<std::byte>> copy = {};

  size_t elements() const { return bytes.size() / DTypeBytes(dtype); }
};

// A tensor of numbers of its own, not a file's.
TensorView MakeTensor(DType dtype, std::vector<int64_t> shape, std::vector<std::byte> bytes);
// The same of f32.
TensorView MakeTensor(std::vector<int64_t> shape, std::span<const float> numbers);

using TensorMap = std::map<std::string, TensorView, std::less<>>;

class TensorStore {
 public:
  // The weights of a model directory: model.safetensors, model.safetensors.index.json,
  // pytorch_model.bin, pytorch_model.bin.index.json, whichever comes first.
  // Errors: kModelLoad, naming the file and what is wrong in it, or that there is none.
  static Result<TensorStore> OpenDirectory(const std::string& directory);
  // One file: safetensors if its name ends in ".safetensors", else a PyTorch archive.
  // Errors: kModelLoad, as above.
  static Result<TensorStore> OpenFile(const std::string& path);

  // nullptr if there is no such tensor.
  const TensorView* Find(std::string_view name) const;
  // The f32, f16, bf16 or f64 tensor of that name and exactly that shape.
  // Errors: kModelLoad with the name, what was expected and what is there.
  Result<TensorView> Require(std::string_view name, std::span<const int64_t> shape) const;

  const TensorMap& tensors() const { return tensors_; }

  // Whether the mapped files are as they were when they were opened: MappedFile::Unchanged.
  Status Unchanged() const;

 private:
  explicit TensorStore(std::string path) : path_(std::move(path)) {}

  // Opens the shards that an index file names.
  static Result<TensorStore> OpenIndex(const std::string& path);
  // Maps a file and adds its tensors.
  Status AddFile(const std::string& path);

  std::string path_;  // of the file or index, for errors
  std::vector<MappedFile> files_;
  TensorMap tensors_;
};

// Makes f32 of an f32, f16, bf16 or f64 tensor in out[0 .. elements). `out` must have that many
// elements.
void CopyToF32(const TensorView& tensor, std::span<float> out);
// The same for rows [first_row, first_row + rows) of a tensor of two dimensions.
void CopyRowsToF32(const TensorView& tensor, size_t first_row, size_t rows, std::span<float> out);

}  // namespace embedding
