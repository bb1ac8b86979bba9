// What a model's heads do besides products, in f32.

// The values of Pooling, model/heads.h.
enum { kCls, kMean, kMax, kMeanSqrtLenTokens, kWeightedMean, kLastToken };

// Of a sequence the rows of hidden states, as in backends/vector_heads.h: those before `first` are
// not pooled.
struct PooledRows {
  int begin;
  int first;
  int end;
};

// to[s] = what `mode` makes of those rows of `hidden`, [rows, columns], zeros of none. `to` is
// [sequences, modes, columns], and `at` the mode's place. blockIdx.x is the sequence, blockIdx.y the
// block of columns.
template <typename T>
__device__ void PoolRows(int mode, int modes, int at, const T* hidden, int columns,
                         const PooledRows* of_sequences, float* to) {
  const int column = blockIdx.y * blockDim.x + threadIdx.x;
  if (column >= columns) return;
  const PooledRows rows = of_sequences[blockIdx.x];
  const T* const numbers = hidden + column;
  float pooled = 0;
  if (rows.first >= rows.end) {
    // The first token, where none is left behind a prompt.
    if (mode == kCls && rows.begin < rows.end) pooled = ToFloat(numbers[size_t(rows.begin) * columns]);
  } else if (mode == kCls || mode == kLastToken) {
    pooled = ToFloat(numbers[size_t(mode == kCls ? rows.first : rows.end - 1) * columns]);
  } else {
    if (mode == kMax) pooled = -kInfinity;
    for (int row = rows.first; row < rows.end; ++row) {
      const float x = ToFloat(numbers[size_t(row) * columns]);
      if (mode == kMax) {
        pooled = x > pooled || isnan(x) ? x : pooled;
      } else {
        pooled += mode == kWeightedMean ? x * float(row - rows.begin + 1) : x;
      }
    }
    const float count = float(rows.end - rows.first);
    if (mode == kMean) pooled /= count;
    if (mode == kMeanSqrtLenTokens) pooled /= sqrtf(count);
    if (mode == kWeightedMean)
      pooled /= count * (2 * float(rows.first - rows.begin) + count + 1) / 2;
  }
  to[(size_t(blockIdx.x) * modes + at) * columns + column] = pooled;
}

extern "C" __global__ void Pool(int mode, int modes, int at, const Element* hidden, int columns,
                                const PooledRows* rows, float* to) {
  PoolRows(mode, modes, at, hidden, columns, rows, to);
}
extern "C" __global__ void PoolF32(int mode, int modes, int at, const float* hidden, int columns,
                                   const PooledRows* rows, float* to) {
  PoolRows(mode, modes, at, hidden, columns, rows, to);
}

// x = norm(x), [rows, columns]; one warp a row.
extern "C" __global__ void NormalizeF32(int kind, const float* weight, const float* bias, float eps,
                                        int rows, int columns, float* x) {
  const int row = RowOfWarp();
  if (row >= rows) return;
  float* const numbers = x + size_t(row) * columns;
  const int lane = threadIdx.x % kWarp;
  float mean = 0;
  if (kind == kLayerNorm) {
    float sum = 0;
    for (int i = lane; i < columns; i += kWarp) sum += numbers[i];
    mean = SumOfWarp(sum) / columns;
  }
  float squares = 0;
  for (int i = lane; i < columns; i += kWarp) squares += (numbers[i] - mean) * (numbers[i] - mean);
  const float scale = rsqrtf(SumOfWarp(squares) / columns + eps);
  for (int i = lane; i < columns; i += kWarp) {
    const float normalized = (numbers[i] - mean) * scale;
    numbers[i] = normalized * (weight == nullptr ? 1.0f : weight[i]) +
                 (bias == nullptr ? 0.0f : bias[i]);
  }
}

// x += added
extern "C" __global__ void AddF32(const float* added, uint64 count, float* x) {
  const size_t step = size_t(gridDim.x) * blockDim.x;
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    x[i] += added[i];
}

// Divides each row of x, [rows, columns], by its length; one warp a row.
extern "C" __global__ void NormalizeLengths(int rows, int columns, float* x) {
  const int row = RowOfWarp();
  if (row >= rows) return;
  float* const numbers = x + size_t(row) * columns;
  const int lane = threadIdx.x % kWarp;
  float sum = 0;
  for (int i = lane; i < columns; i += kWarp) sum += numbers[i] * numbers[i];
  const float length = fmaxf(sqrtf(SumOfWarp(sum)), 1e-12f);
  for (int i = lane; i < columns; i += kWarp) numbers[i] /= length;
}

__device__ inline float WeightOfLogit(float logit, int log_twice) {
  const float weight = log1pf(isnan(logit) ? logit : fmaxf(logit, 0.0f));
  return log_twice ? log1pf(weight) : weight;
}

// SPLADE's weights out of logits [rows, columns]: weights[v] is the largest, or with `sums` the sum,
// of the weights of column v and of what weights[v] was before unless `is_first`.
extern "C" __global__ void WeighVocabulary(const float* logits, int rows, int columns, int sums,
                                           int log_twice, int is_first, float* weights) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  if (column >= columns) return;
  float result = is_first ? 0 : weights[column];
  for (int row = 0; row < rows; ++row) {
    const float weight = WeightOfLogit(logits[size_t(row) * columns + column], log_twice);
    result = sums ? result + weight : (weight > result || isnan(weight) ? weight : result);
  }
  weights[column] = result;
}
