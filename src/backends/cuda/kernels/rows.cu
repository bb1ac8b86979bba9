// What is done to each row, or to each number, by itself.

// One warp has a row of HIDDEN_SIZE numbers in its registers.
template <typename T>
struct Row {
  typedef VectorOf<T, HIDDEN_SIZE> Vector;
  typedef typename Vector::Type VectorType;
  static constexpr int kVectors = HIDDEN_SIZE / Vector::kSize;
  static constexpr int kOfLane = (kVectors + kWarp - 1) / kWarp;

  float x[kOfLane][Vector::kSize];

  __device__ void SetZero() {
    for (int i = 0; i < kOfLane; ++i)
      for (int k = 0; k < Vector::kSize; ++k) x[i][k] = 0;
  }

  // this += numbers
  __device__ void Add(const T* numbers) {
    const VectorType* const from = reinterpret_cast<const VectorType*>(numbers);
#pragma unroll
    for (int i = 0; i < kOfLane; ++i) {
      const int at = i * kWarp + threadIdx.x % kWarp;
      if (at >= kVectors) continue;
      const VectorType vector = from[at];
#pragma unroll
      for (int k = 0; k < Vector::kSize; ++k) x[i][k] += ToFloat(vector.x[k]);
    }
  }

  // to = LayerNorm(this)
  __device__ void Normalize(const T* weight, const T* bias, float eps, T* to) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kOfLane; ++i)
#pragma unroll
      for (int k = 0; k < Vector::kSize; ++k) sum += x[i][k];
    const float mean = SumOfWarp(sum) / HIDDEN_SIZE;
    float squares = 0;
#pragma unroll
    for (int i = 0; i < kOfLane; ++i) {
      if (i * kWarp + threadIdx.x % kWarp >= kVectors) continue;
#pragma unroll
      for (int k = 0; k < Vector::kSize; ++k) squares += (x[i][k] - mean) * (x[i][k] - mean);
    }
    const float scale = rsqrtf(SumOfWarp(squares) / HIDDEN_SIZE + eps);
#pragma unroll
    for (int i = 0; i < kOfLane; ++i) {
      const int at = i * kWarp + threadIdx.x % kWarp;
      if (at >= kVectors) continue;
      const VectorType w = reinterpret_cast<const VectorType*>(weight)[at];
      const VectorType b = reinterpret_cast<const VectorType*>(bias)[at];
      VectorType result;
#pragma unroll
      for (int k = 0; k < Vector::kSize; ++k) {
        FromFloat((x[i][k] - mean) * scale * ToFloat(w.x[k]) + ToFloat(b.x[k]), result.x[k]);
      }
      reinterpret_cast<VectorType*>(to)[at] = result;
    }
  }
};

// The row that the thread's warp has, of blocks of any number of warps.
__device__ inline int RowOfWarp() {
  return blockIdx.x * (blockDim.x / kWarp) + threadIdx.x / kWarp;
}

// x = LayerNorm(word + token type + position). `ids`, `types` and `positions` are [rows].
extern "C" __global__ void Embed(const Element* word, const Element* type, const Element* position,
                                 const int* ids, const int* types, const int* positions,
                                 const Element* weight, const Element* bias, float eps, int rows,
                                 Element* x) {
  const int row = RowOfWarp();
  if (row >= rows) return;
  Row<Element> sum;
  sum.SetZero();
  sum.Add(word + size_t(ids[row]) * HIDDEN_SIZE);
  sum.Add(type + size_t(types[row]) * HIDDEN_SIZE);
  sum.Add(position + size_t(positions[row]) * HIDDEN_SIZE);
  sum.Normalize(weight, bias, eps, x + size_t(row) * HIDDEN_SIZE);
}

template <typename T>
__device__ void NormalizeRow(const T* x, const T* weight, const T* bias, float eps, int rows,
                             T* to) {
  const int row = RowOfWarp();
  if (row >= rows) return;
  Row<T> numbers;
  numbers.SetZero();
  numbers.Add(x + size_t(row) * HIDDEN_SIZE);
  numbers.Normalize(weight, bias, eps, to + size_t(row) * HIDDEN_SIZE);
}

// to = LayerNorm(x), [rows, HIDDEN_SIZE]. The two may be the same.
extern "C" __global__ void LayerNorm(const Element* x, const Element* weight, const Element* bias,
                                     float eps, int rows, Element* to) {
  NormalizeRow(x, weight, bias, eps, rows, to);
}
extern "C" __global__ void LayerNormF32(const float* x, const float* weight, const float* bias,
                                        float eps, int rows, float* to) {
  NormalizeRow(x, weight, bias, eps, rows, to);
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

// to = x, rounded.
extern "C" __global__ void FromF32(const float* x, uint64 count, Element* to) {
  const size_t step = size_t(gridDim.x) * blockDim.x;
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    FromFloat(x[i], to[i]);
}
