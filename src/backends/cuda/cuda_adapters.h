// Additions of low rank to weights, Adapters of model/architecture.h, on a GPU of NVIDIA's.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "backends/cuda/cuda_compute.h"
#include "model/tensors.h"

namespace embedding {

// By adapter, in CudaCompute::type(): in_features -> rank, and rank -> out_features. Of several
// layers of one input the ranks stand side by side. Empty where nothing is added.
struct CudaAdapters {
  std::vector<CudaLinear> a;
  std::vector<CudaLinear> b;

  bool empty() const { return a.empty(); }
};

// Of a table of embeddings: `a` are tables, [rows, rank].
struct CudaTableAdapters {
  std::vector<CudaBuffer> a;
  std::vector<CudaLinear> b;

  bool empty() const { return a.empty(); }
};

struct CudaAdaptedLinear {
  CudaLinear linear;
  CudaAdapters adapters;
};

// Several of the same input as one, their outputs side by side.
Result<CudaAdaptedLinear> LoadAdaptedLinears(CudaCompute& compute,
                                             std::span<const LinearTensors> tensors);
Result<CudaTableAdapters> LoadTableAdapters(CudaCompute& compute,
                                            const std::optional<AdapterTensors>& tensors);

// Which adapters a batch has: some rows one, some none.
struct CudaAdaptedRows {
  std::span<const size_t> used;  // by any row, ascending
  CudaPointer of_rows = 0;       // [rows] int32_t on the device, -1 for none

  CudaAdaptedRows from(size_t row) const { return {used, of_rows + row * sizeof(int32_t)}; }
};

// Not thread-safe: the encoder owns it.
class CudaAdapterProducts {
 public:
  CudaAdapterProducts(CudaCompute& compute, float scale)
      : compute_(compute), scale_(scale), low_(compute.DeviceBuffer()) {}

  // Whether there was room already.
  Result<bool> Reserve(size_t rows, size_t rank);
  void FreeBuffers() { low_.Free(); }

  // Begins to compute: y = x W^T + b, with what the rows' adapters add, and `added` where it is not
  // 0, which may be y.
  Status Multiply(const CudaAdaptedLinear& linear, CudaPointer x, const CudaAdaptedRows& adapted,
                  size_t rows, CudaPointer added, CudaPointer y);
  // y += factor * what they add to the table's rows `ids`, [rows] int32_t on the device.
  Status AddOfTable(const CudaTableAdapters& table, CudaPointer ids, float factor,
                    const CudaAdaptedRows& adapted, size_t rows, CudaPointer y);

 private:
  // Of the rows of low_ those that do not have adapter `which` become 0.
  Status ScaleLow(size_t which, float factor, const CudaAdaptedRows& adapted, size_t rows,
                  size_t rank);

  CudaCompute& compute_;
  const float scale_;
  CudaBuffer low_;  // [rows, rank]
};

// The largest rank that any of those has.
size_t RankOf(const CudaAdapters& adapters);
size_t RankOf(const CudaTableAdapters& adapters);

}  // namespace embedding
