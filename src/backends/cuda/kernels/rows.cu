// What is done to each row by itself.

// The values of NormKind, model/heads.h.
enum { kLayerNorm, kRmsNorm };

// A norm's weight and bias may be null: 1 and 0.
struct NormParameters {
  int kind;
  const Element* weight;
  const Element* bias;
  float eps;
};

// The row that the thread's warp has, of blocks of any number of warps.
__device__ inline int RowOfWarp() {
  return blockIdx.x * (blockDim.x / kWarp) + threadIdx.x / kWarp;
}

// One warp has a row of kColumns numbers in its registers.
template <int kColumns>
struct Row {
  typedef VectorOf<Element, kColumns> Vector;
  typedef typename Vector::Type VectorType;
  static constexpr int kVectors = kColumns / Vector::kSize;
  static constexpr int kOfLane = (kVectors + kWarp - 1) / kWarp;

  float x[kOfLane][Vector::kSize] = {};

  // Of the vector of this lane's that is number i of its own; kVectors and more: there is none.
  __device__ static int Place(int i) { return i * kWarp + threadIdx.x % kWarp; }

  // this += factor * numbers
  __device__ void Add(const Element* numbers, float factor = 1) {
#pragma unroll
    for (int i = 0; i < kOfLane; ++i) {
      if (Place(i) >= kVectors) continue;
      const VectorType vector = reinterpret_cast<const VectorType*>(numbers)[Place(i)];
#pragma unroll
      for (int k = 0; k < Vector::kSize; ++k) x[i][k] += factor * ToFloat(vector.x[k]);
    }
  }

  // this = norm(this)
  __device__ void Normalize(const NormParameters& norm) {
    float mean = 0;
    if (norm.kind == kLayerNorm) {
      float sum = 0;
#pragma unroll
      for (int i = 0; i < kOfLane; ++i)
#pragma unroll
        for (int k = 0; k < Vector::kSize; ++k) sum += x[i][k];
      mean = SumOfWarp(sum) / kColumns;
    }
    float squares = 0;
#pragma unroll
    for (int i = 0; i < kOfLane; ++i) {
      if (Place(i) >= kVectors) continue;
#pragma unroll
      for (int k = 0; k < Vector::kSize; ++k) squares += (x[i][k] - mean) * (x[i][k] - mean);
    }
    const float scale = rsqrtf(SumOfWarp(squares) / kColumns + norm.eps);
#pragma unroll
    for (int i = 0; i < kOfLane; ++i) {
      if (Place(i) >= kVectors) continue;
      VectorType weight;
      VectorType bias;
      if (norm.weight != nullptr)
        weight = reinterpret_cast<const VectorType*>(norm.weight)[Place(i)];
      if (norm.bias != nullptr) bias = reinterpret_cast<const VectorType*>(norm.bias)[Place(i)];
#pragma unroll
      for (int k = 0; k < Vector::kSize; ++k) {
        x[i][k] = (x[i][k] - mean) * scale * (norm.weight == nullptr ? 1 : ToFloat(weight.x[k])) +
                  (norm.bias == nullptr ? 0 : ToFloat(bias.x[k]));
      }
    }
  }

  __device__ void Store(Element* to) const {
#pragma unroll
    for (int i = 0; i < kOfLane; ++i) {
      if (Place(i) >= kVectors) continue;
      VectorType result;
#pragma unroll
      for (int k = 0; k < Vector::kSize; ++k) FromFloat(x[i][k], result.x[k]);
      reinterpret_cast<VectorType*>(to)[Place(i)] = result;
    }
  }
};

// x = scale * word + token type + position, [rows, EMBEDDING_SIZE], of which the last two may be
// null. `ids`, `types` and `positions` are [rows].
extern "C" __global__ void Embed(const Element* word, float scale, const Element* type,
                                 const Element* position, const int* ids, const int* types,
                                 const int* positions, int normalizes, int kind,
                                 const Element* weight, const Element* bias, float eps, int rows,
                                 Element* x) {
  const int row = RowOfWarp();
  if (row >= rows) return;
  Row<EMBEDDING_SIZE> sum;
  sum.Add(word + size_t(ids[row]) * EMBEDDING_SIZE, scale);
  if (type != nullptr) sum.Add(type + size_t(types[row]) * EMBEDDING_SIZE);
  if (position != nullptr) sum.Add(position + size_t(positions[row]) * EMBEDDING_SIZE);
  if (normalizes) sum.Normalize({kind, weight, bias, eps});
  sum.Store(x + size_t(row) * EMBEDDING_SIZE);
}

// to = norm(x), or added + norm(x), [rows, HIDDEN_SIZE]. Any of them may be the same.
extern "C" __global__ void Normalize(const Element* x, int kind, const Element* weight,
                                     const Element* bias, float eps, const Element* added, int rows,
                                     Element* to) {
  const int row = RowOfWarp();
  if (row >= rows) return;
  Row<HIDDEN_SIZE> numbers;
  numbers.Add(x + size_t(row) * HIDDEN_SIZE);
  numbers.Normalize({kind, weight, bias, eps});
  if (added != nullptr) numbers.Add(added + size_t(row) * HIDDEN_SIZE);
  numbers.Store(to + size_t(row) * HIDDEN_SIZE);
}

// to[r] = the sum over i of weights[r][i] * outputs[places[r][i]], and the bias and added[r] where
// they are not null: what `chosen` experts make of each row, [rows, HIDDEN_SIZE].
extern "C" __global__ void CombineExperts(const Element* outputs, const int* places,
                                          const float* weights, int chosen, const Element* bias,
                                          const Element* added, int rows, Element* to) {
  const int row = RowOfWarp();
  if (row >= rows) return;
  Row<HIDDEN_SIZE> sum;
  for (int i = 0; i < chosen; ++i) {
    const int at = row * chosen + i;
    sum.Add(outputs + size_t(places[at]) * HIDDEN_SIZE, weights[at]);
  }
  if (bias != nullptr) sum.Add(bias);
  if (added != nullptr) sum.Add(added + size_t(row) * HIDDEN_SIZE);
  sum.Store(to + size_t(row) * HIDDEN_SIZE);
}

// to[i] = x[rows[i]], or zeros where that is negative, [count, columns]; one block a row.
template <typename T, typename To>
__device__ void GatherRow(const T* x, const int* rows, int columns, To* to) {
  const int row = rows[blockIdx.x];
  const T* const from = x + size_t(row < 0 ? 0 : row) * columns;
  To* const result = to + size_t(blockIdx.x) * columns;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) 
    FromFloat(row < 0 ? 0.0f : ToFloat(from[i]), result[i]);
}
extern "C" __global__ void GatherRows(const Element* x, const int* rows, int columns,
                                      Element* to) {
  GatherRow(x, rows, columns, to);
}
extern "C" __global__ void GatherRowsF32(const Element* x, const int* rows, int columns,
                                         float* to) {
  GatherRow(x, rows, columns, to);
}
