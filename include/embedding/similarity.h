// How two vectors are compared.
#pragma once

namespace embedding {

enum class Similarity {
  kCosine,     // from -1 to 1
  kDot,        // the dot product
  kEuclidean,  // minus the distance, by L2
  kManhattan,  // minus the distance, by L1
};

}  // namespace embedding
