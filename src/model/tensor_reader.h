// TensorReader: the tensors of a file below a name, checked against shapes, by what they are.
//
// Names may have several forms, divided by '|' (tensor_names.h). Errors: kModelLoad, naming file,
// tensor and what was expected.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/architecture.h"
#include "model/tensors.h"
#include "weights/tensor_store.h"

namespace embedding {

// A weight may be parametrised (torch.nn.utils.parametrize), as jina's models have it: then it is
// "X.parametrizations.weight.original", and its adapters' matrices stand beside it.
class TensorReader {
 public:
  // The store must outlive the reader. With `adapters`, what is read has those of the file.
  TensorReader(const TensorStore& store, std::string prefix,
               const std::optional<Adapters>& adapters = {})
      : store_(store), prefix_(std::move(prefix)), adapters_(adapters) {}

  TensorReader At(std::string_view name) const;

  // Whether there is a tensor of that name, or one of a Linear or table, in any form.
  bool Has(std::string_view name) const;
  bool HasWeight(std::string_view name) const;

  Result<TensorView> Tensor(std::string_view name, std::initializer_list<size_t> shape) const;
  Result<TensorView> Table(std::string_view name, size_t rows, size_t columns) const;
  // Of a table, if it has some.
  Result<std::optional<AdapterTensors>> TableAdapters(std::string_view name, size_t rows,
                                                      size_t columns) const;
  // An empty name: the reader's own.
  Result<LinearTensors> Linear(std::string_view name, size_t in_features, size_t out_features,
                               bool has_bias = true) const;
  // Linears of the same input in one, one below the other.
  Result<std::vector<LinearTensors>> Fused(std::string_view name, size_t in_features,
                                           std::initializer_list<size_t> out_features,
                                           bool has_bias) const;
  // A torch.nn.Conv1d of as many channels in as out, as the Linear of its input's neighbours:
  // [channels, kernel * channels], those of a neighbour side by side, with zeros for what is not of
  // a channel's group.
  Result<LinearTensors> Convolution(std::string_view name, size_t channels,
                                    const embedding::Convolution& convolution) const;
  Result<NormTensors> Norm(std::string_view name, const embedding::Norm& norm, size_t size) const;
  // Of those fields that are there.
  Result<std::optional<NormTensors>> Norm(std::string_view name,
                                          const std::optional<embedding::Norm>& norm,
                                          size_t size) const;

  const std::string& prefix() const { return prefix_; }

 private:
  // The form of the name below which there is a tensor with that ending.
  std::string_view Form(std::string_view name, std::string_view ending) const;

  // The reader of that name in its form, and what the weight is called below it.
  std::pair<TensorReader, std::string_view> Weight(std::string_view name) const;
  // The matrices beside it, [count, a_rows, a_columns] and [count, b_rows, b_columns].
  Result<std::optional<AdapterTensors>> ReadAdapters(size_t a_rows, size_t a_columns, size_t b_rows,
                                                     size_t b_columns) const;

  const TensorStore& store_;
  std::string prefix_;
  std::optional<Adapters> adapters_;
};

// Rows [first, first + rows) of a tensor of one or two dimensions.
TensorView RowsOf(const TensorView& tensor, size_t first, size_t rows);

// The same of the second dimension of a tensor of three: a copy.
TensorView InnerRowsOf(const TensorView& tensor, size_t first, size_t rows);

// A copy in f32 of a tensor of two dimensions, `row`, [1, columns], added to each of its rows.
TensorView PlusRow(const TensorView& table, const TensorView& row);

// A copy, [columns, rows], of a tensor of two dimensions.
TensorView Transposed(const TensorView& tensor);

}  // namespace embedding
