// What a model's heads do besides products, in f32.

// The values of Pooling, model/heads.h.
enum { kCls, kMean, kMax, kMeanSqrtLenTokens, kWeightedMean, kLastToken };

// to[s] = what `mode` makes of the rows [begins[s], begins[s + 1]) of hidden, zeros of none. `to` is
// [sequences, modes, HIDDEN_SIZE], and `at` the mode's place. blockIdx.x is the sequence, blockIdx.y
// the block of columns.
extern "C" __global__ void Pool(int mode, int modes, int at, const Element* hidden,
                                const int* begins, float* to) {
  const int column = blockIdx.y * blockDim.x + threadIdx.x;
  if (column >= HIDDEN_SIZE) return;
  const int begin = begins[blockIdx.x];
  const int rows = begins[blockIdx.x + 1] - begin;
  float* const result = to + (size_t(blockIdx.x) * modes + at) * HIDDEN_SIZE + column;
  const Element* const numbers = hidden + size_t(begin) * HIDDEN_SIZE + column;
  if (rows == 0) {
    *result = 0;
    return;
  }
  if (mode == kCls || mode == kLastToken) {
    *result = ToFloat(numbers[mode == kCls ? 0 : size_t(rows - 1) * HIDDEN_SIZE]);
    return;
  }
  float pooled = mode == kMax ? -kInfinity : 0;
  for (int row = 0; row < rows; ++row) {
    const float x = ToFloat(numbers[size_t(row) * HIDDEN_SIZE]);
    if (mode == kMax) {
      pooled = x > pooled || isnan(x) ? x : pooled;
    } else {
      pooled += mode == kWeightedMean ? x * float(row + 1) : x;
    }
  }
  const float count = float(rows);
  if (mode == kMean) pooled /= count;
  if (mode == kMeanSqrtLenTokens) pooled /= sqrtf(count);
  if (mode == kWeightedMean) pooled /= count * (count + 1) / 2;
  *result = pooled;
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
