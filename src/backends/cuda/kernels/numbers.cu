// What is done to each number by itself, and to a few together.

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

// gates = activation(gates) * norm(scale * parts), [rows, columns]; one warp a row.
extern "C" __global__ void GateInputs(const Element* parts, float scale, int activation, int kind,
                                      const Element* weight, const Element* bias, float eps,
                                      int rows, int columns, Element* gates) {
  const int row = RowOfWarp();
  if (row >= rows) return;
  const Element* const part = parts + size_t(row) * columns;
  Element* const gate = gates + size_t(row) * columns;
  const int lane = threadIdx.x % kWarp;
  float mean = 0;
  if (kind == kLayerNorm) {
    float sum = 0;
    for (int i = lane; i < columns; i += kWarp) sum += scale * ToFloat(part[i]);
    mean = SumOfWarp(sum) / columns;
  }
  float squares = 0;
  for (int i = lane; i < columns; i += kWarp) {
    const float x = scale * ToFloat(part[i]) - mean;
    squares += x * x;
  }
  const float factor = rsqrtf(SumOfWarp(squares) / columns + eps);
  for (int i = lane; i < columns; i += kWarp) {
    const float x = (scale * ToFloat(part[i]) - mean) * factor *
                        (weight == nullptr ? 1.0f : ToFloat(weight[i])) +
                    (bias == nullptr ? 0.0f : ToFloat(bias[i]));
    FromFloat(Activated(activation, ToFloat(gate[i]), Element{}) * x, gate[i]);
  }
}

// x += added
extern "C" __global__ void Add(const Element* added, uint64 count, Element* x) {
  const size_t step = size_t(gridDim.x) * blockDim.x;
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    FromFloat(ToFloat(x[i]) + ToFloat(added[i]), x[i]);
}

// x *= factor
extern "C" __global__ void Scale(float factor, uint64 count, Element* x) {
  const size_t step = size_t(gridDim.x) * blockDim.x;
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    FromFloat(factor * ToFloat(x[i]), x[i]);
}

// x[r] *= factor where of_rows[r] is `which`, or else 0, [rows, columns].
extern "C" __global__ void ScaleRows(const int* of_rows, int which, float factor, uint64 rows,
                                     uint64 columns, Element* x) {
  const size_t step = size_t(gridDim.x) * blockDim.x;
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < rows * columns; i += step)
    FromFloat(of_rows[i / columns] == which ? factor * ToFloat(x[i]) : 0.0f, x[i]);
}
