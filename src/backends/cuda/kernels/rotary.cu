// What is done to the queries and keys of each head before attention: norms and rotary position
// embeddings (Su et al. 2021, "RoFormer").

// turns[r][i] = factor * (cos, sin) of positions[r] * frequencies[i], [rows, pairs].
extern "C" __global__ void Turn(const int* positions, const float* frequencies, int rows, int pairs,
                                float factor, float2* turns) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= rows * pairs) return;
  float sine;
  float cosine;
  sincosf(float(positions[i / pairs]) * frequencies[i % pairs], &sine, &cosine);
  turns[i] = make_float2(factor * cosine, factor * sine);
}

// Of the heads of queries, keys or values.
struct HeadNorm {
  int normalizes;
  int kind;
  const Element* weight;
  const Element* bias;
  float eps;
};

// Queries, keys and values of each row of qkv, [rows, heads + 2 * kv_heads, HEAD_DIM], are normed,
// and the first two rotated, in place; values are left alone where they have no norm. Of the first
// 2 * pairs numbers, numbers 2i and 2i + 1 are a pair where they are `interleaved`, or else i and
// i + pairs. With null `turns` nothing is rotated. One warp a head; its numbers are in shared
// memory, [warps, HEAD_DIM].
extern "C" __global__ void PrepareHeads(Element* qkv, int rows, int heads, int kv_heads,
                                        HeadNorm of_queries, HeadNorm of_keys, HeadNorm of_values,
                                        const float2* turns, int pairs, int interleaved) {
  extern __shared__ float heads_of_block[];
  constexpr int kOfLane = HEAD_DIM % kWarp == 0 ? HEAD_DIM / kWarp : 1;
  // As many as 16 bytes hold.
  constexpr int kSize = kOfLane % 8 == 0 && sizeof(Element) == 2 ? 8
                        : kOfLane % 4 == 0                       ? 4
                        : kOfLane % 2 == 0                       ? 2
                                                                 : 1;
  typedef Pack<Element, kSize> Numbers;
  const int prepared = heads + kv_heads + (of_values.normalizes ? kv_heads : 0);
  const int index = RowOfWarp();
  if (index >= rows * prepared) return;
  const int row = index / prepared;
  const int head = index % prepared;
  const bool is_query = head < heads;
  const bool is_value = head >= heads + kv_heads;
  const HeadNorm norm = is_query ? of_queries : is_value ? of_values : of_keys;
  const int lane = threadIdx.x % kWarp;
  float* const x = heads_of_block + threadIdx.x / kWarp * HEAD_DIM;
  Element* const numbers = qkv + (size_t(row) * (heads + 2 * kv_heads) + head) * HEAD_DIM;
  float sum = 0;
  for (int d = lane * kSize; d < HEAD_DIM; d += kWarp * kSize) {
    const Numbers loaded = *reinterpret_cast<const Numbers*>(numbers + d);
#pragma unroll
    for (int k = 0; k < kSize; ++k) {
      x[d + k] = ToFloat(loaded.x[k]);
      sum += x[d + k];
    }
  }
  if (norm.normalizes) {
    const float mean = norm.kind == kLayerNorm ? SumOfWarp(sum) / HEAD_DIM : 0;
    float squares = 0;
    for (int d = lane * kSize; d < HEAD_DIM; d += kWarp * kSize)
#pragma unroll
      for (int k = 0; k < kSize; ++k) squares += (x[d + k] - mean) * (x[d + k] - mean);
    const float scale = rsqrtf(SumOfWarp(squares) / HEAD_DIM + norm.eps);
    for (int d = lane * kSize; d < HEAD_DIM; d += kWarp * kSize) {
#pragma unroll
      for (int k = 0; k < kSize; ++k) {
        x[d + k] = (x[d + k] - mean) * scale *
                       (norm.weight == nullptr ? 1.0f : ToFloat(norm.weight[d + k])) +
                   (norm.bias == nullptr ? 0.0f : ToFloat(norm.bias[d + k]));
      }
    }
  }
  __syncwarp();
  for (int first = lane * kSize; first < HEAD_DIM; first += kWarp * kSize) {
    Numbers result;
#pragma unroll
    for (int k = 0; k < kSize; ++k) {
      const int d = first + k;
      float rotated = x[d];
      if (turns != nullptr && !is_value && d < 2 * pairs) {
        const int pair = interleaved ? d / 2 : d % pairs;
        const bool is_second = interleaved ? d % 2 != 0 : d >= pairs;
        const int distance = interleaved ? 1 : pairs;
        const float2 turn = turns[size_t(row) * pairs + pair];
        rotated = is_second ? x[d] * turn.x + x[d - distance] * turn.y
                            : x[d] * turn.x - x[d + distance] * turn.y;
      }
      FromFloat(rotated, result.x[k]);
    }
    *reinterpret_cast<Numbers*>(numbers + first) = result;
  }
}
