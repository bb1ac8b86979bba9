// What is done to each row, or to each number, by itself.

// The values of NormKind, model/heads.h.
enum { kLayerNorm, kRmsNorm };

// A norm's weight and bias may be null: 1 and 0.
template <typename T>
struct NormParameters {
  int kind;
  const T* weight;
  const T* bias;
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
  __device__ void Normalize(const NormParameters<Element>& norm) {
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
#pragma unroll
      for (int k = 0; k < Vector::kSize; ++k) x[i][k] = (x[i][k] - mean) * scale;
      if (norm.weight != nullptr) {
        const VectorType w = reinterpret_cast<const VectorType*>(norm.weight)[Place(i)];
#pragma unroll
        for (int k = 0; k < Vector::kSize; ++k) x[i][k] *= ToFloat(w.x[k]);
      }
      if (norm.bias != nullptr) {
        const VectorType b = reinterpret_cast<const VectorType*>(norm.bias)[Place(i)];
#pragma unroll
        for (int k = 0; k < Vector::kSize; ++k) x[i][k] += ToFloat(b.x[k]);
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

// erf to 1.5e-7, far below what 16 bits hold (Abramowitz and Stegun 7.1.26): a third of the
// instructions of erff.
__device__ inline float ErfFor16Bits(float x) {
  const float t = __fdividef(1.0f, 1.0f + 0.3275911f * fabsf(x));
  const float polynomial =
      t * (0.254829592f +
           t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  return copysignf(1.0f - polynomial * __expf(-x * x), x);
}
__device__ inline float Erf(float x, float) { return erff(x); }
__device__ inline float Erf(float x, Float16) { return ErfFor16Bits(x); }
__device__ inline float Erf(float x, BFloat16) { return ErfFor16Bits(x); }

// The values of Activation, model/heads.h.
enum { kIdentity, kTanh, kRelu, kGelu, kGeluTanh, kSigmoid, kSilu };

template <typename T>
__device__ inline float Activated(int activation, float x, T precision) {
  switch (activation) {
    case kTanh:
      return tanhf(x);
    case kRelu:
      return x < 0.0f ? 0.0f : x;  // NaN stays
    case kGelu:
      return 0.5f * x * (1.0f + Erf(x * 0.70710678118654752f, precision));
    case kGeluTanh:
      return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case kSigmoid:
      return 1.0f / (1.0f + expf(-x));
    case kSilu:
      return x / (1.0f + expf(-x));
  }
  return x;
}

template <int kActivation, int kSize, typename T>
__device__ void ActivateAll(T* x, size_t count) {
  typedef Pack<T, kSize> Numbers;
  const size_t step = size_t(gridDim.x) * blockDim.x;
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count / kSize; i += step) {
    Numbers numbers = reinterpret_cast<Numbers*>(x)[i];
#pragma unroll
    for (int k = 0; k < kSize; ++k)
      FromFloat(Activated(kActivation, ToFloat(numbers.x[k]), T{}), numbers.x[k]);
    reinterpret_cast<Numbers*>(x)[i] = numbers;
  }
}

template <typename T>
__device__ void Activate(int activation, T* x, size_t count) {
  constexpr int kSize = 16 / sizeof(T);
  if (count % kSize != 0) {
    const size_t step = size_t(gridDim.x) * blockDim.x;
    for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
      FromFloat(Activated(activation, ToFloat(x[i]), T{}), x[i]);
    return;
  }
  switch (activation) {
    case kTanh:
      return ActivateAll<kTanh, kSize>(x, count);
    case kRelu:
      return ActivateAll<kRelu, kSize>(x, count);
    case kGelu:
      return ActivateAll<kGelu, kSize>(x, count);
    case kGeluTanh:
      return ActivateAll<kGeluTanh, kSize>(x, count);
    case kSigmoid:
      return ActivateAll<kSigmoid, kSize>(x, count);
    case kSilu:
      return ActivateAll<kSilu, kSize>(x, count);
  }
}

// x = activation(x), of `count` numbers that begin at a multiple of 16 bytes.
extern "C" __global__ void Activate(int activation, uint64 count, Element* x) {
  Activate(activation, x, count);
}
extern "C" __global__ void ActivateF32(int activation, uint64 count, float* x) {
  Activate(activation, x, count);
}

template <int kActivation, int kSize>
__device__ void GateAll(const Element* x, size_t rows, size_t width, Element* to) {
  typedef Pack<Element, kSize> Numbers;
  const size_t of_row = width / kSize;
  const size_t step = size_t(gridDim.x) * blockDim.x;
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < rows * of_row; i += step) {
    const Numbers* const gates = reinterpret_cast<const Numbers*>(x) + i + i / of_row * of_row;
    const Numbers gate = gates[0];
    Numbers numbers = gates[of_row];
#pragma unroll
    for (int k = 0; k < kSize; ++k) {
      FromFloat(Activated(kActivation, ToFloat(gate.x[k]), Element{}) * ToFloat(numbers.x[k]),
                numbers.x[k]);
    }
    reinterpret_cast<Numbers*>(to)[i] = numbers;
  }
}

template <int kSize>
__device__ void Gate(int activation, const Element* x, size_t rows, size_t width, Element* to) {
  switch (activation) {
    case kIdentity:
      return GateAll<kIdentity, kSize>(x, rows, width, to);
    case kTanh:
      return GateAll<kTanh, kSize>(x, rows, width, to);
    case kRelu:
      return GateAll<kRelu, kSize>(x, rows, width, to);
    case kGelu:
      return GateAll<kGelu, kSize>(x, rows, width, to);
    case kGeluTanh:
      return GateAll<kGeluTanh, kSize>(x, rows, width, to);
    case kSigmoid:
      return GateAll<kSigmoid, kSize>(x, rows, width, to);
    case kSilu:
      return GateAll<kSilu, kSize>(x, rows, width, to);
  }
}

// to = activation(gate) * x, [rows, width], where gate and x stand side by side in `x`,
// [rows, 2 * width].
extern "C" __global__ void Gate(int activation, const Element* x, uint64 rows, uint64 width,
                                Element* to) {
  constexpr int kSize = 16 / sizeof(Element);
  if (width % kSize == 0) {
    Gate<kSize>(activation, x, rows, width, to);
  } else {
    Gate<1>(activation, x, rows, width, to);
  }
}

// to[i] = x[rows[i]], [count, columns]; one block a row.
template <typename T, typename To>
__device__ void GatherRow(const T* x, const int* rows, int columns, To* to) {
  const T* const from = x + size_t(rows[blockIdx.x]) * columns;
  To* const result = to + size_t(blockIdx.x) * columns;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) FromFloat(ToFloat(from[i]), result[i]);
}
extern "C" __global__ void GatherRows(const Element* x, const int* rows, int columns,
                                      Element* to) {
  GatherRow(x, rows, columns, to);
}
extern "C" __global__ void GatherRowsF32(const Element* x, const int* rows, int columns,
                                         float* to) {
  GatherRow(x, rows, columns, to);
}

// to = x, rounded where it must be.
extern "C" __global__ void FromF32(const float* x, uint64 count, Element* to) {
  const size_t step = size_t(gridDim.x) * blockDim.x;
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    FromFloat(x[i], to[i]);
}
extern "C" __global__ void ToF32(const Element* x, uint64 count, float* to) {
  const size_t step = size_t(gridDim.x) * blockDim.x;
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    to[i] = ToFloat(x[i]);
}
