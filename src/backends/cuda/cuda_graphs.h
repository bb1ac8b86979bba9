// CUDA graphs: launches that were recorded once and are repeated as one, which saves the host's
// time for each. For work that reads and writes the same addresses every time.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "backends/cuda/cuda_compute.h"

namespace embedding {

class CudaGraphs {
 public:
  // What decides which launches there are.
  struct Key {
    size_t rows = 0;
    size_t tiles = 0;
    size_t warps = 0;  // of a tile
    size_t kept = 0;
    std::vector<size_t> adapters = {};  // that any row has

    bool operator<(const Key& other) const {
      return std::tie(rows, tiles, warps, kept, adapters) <
             std::tie(other.rows, other.tiles, other.warps, other.kept, other.adapters);
    }
  };

  explicit CudaGraphs(const CudaCompute& compute) : compute_(compute) {}
  CudaGraphs(const CudaGraphs&) = delete;
  CudaGraphs& operator=(const CudaGraphs&) = delete;
  ~CudaGraphs() { Clear(); }

  // Begins what `launch` launches for that key: by itself the first two times, recorded the third
  // time (that takes milliseconds: not for a shape that hardly ever comes), repeated from then on.
  Status Run(const Key& key, const std::function<Status()>& launch);

  // When addresses have changed.
  void Clear();

 private:
  Result<CudaGraphExec> Record(const std::function<Status()>& launch);

  const CudaCompute& compute_;
  struct Graph {
    size_t seen = 0;
    CudaGraphExec exec = nullptr;
  };
  std::map<Key, Graph> graphs_;
};

}  // namespace embedding
