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

// heads = rotated(norm(heads)), in place: `heads` of them side by side from column `first` on of
// qkv, [rows, row_size]. Without `normalizes`, or with null `turns`, that is left out. Of the first
// 2 * pairs numbers, numbers 2i and 2i + 1 are a pair where they are `interleaved`, or else i and
// i + pairs. One warp a head; its numbers are in shared memory, [warps, HEAD_DIM].
extern "C" __global__ void PrepareHeads(Element* qkv, int rows, int row_size, int first, int heads,
                                        int normalizes, int kind, const Element* weight,
                                        const Element* bias, float eps, const float2* turns,
                                        int pairs, int interleaved) {
  extern __shared__ float heads_of_block[];
  const int index = RowOfWarp();
  if (index >= rows * heads) return;
  const int row = index / heads;
  const int lane = threadIdx.x % kWarp;
  float* const x = heads_of_block + threadIdx.x / kWarp * HEAD_DIM;
  Element* const head = qkv + size_t(row) * row_size + first + index % heads * HEAD_DIM;
  float sum = 0;
  for (int d = lane; d < HEAD_DIM; d += kWarp) {
    x[d] = ToFloat(head[d]);
    sum += x[d];
  }
  if (normalizes) {
    const float mean = kind == kLayerNorm ? SumOfWarp(sum) / HEAD_DIM : 0;
    float squares = 0;
    for (int d = lane; d < HEAD_DIM; d += kWarp) squares += (x[d] - mean) * (x[d] - mean);
    const float scale = rsqrtf(SumOfWarp(squares) / HEAD_DIM + eps);
    for (int d = lane; d < HEAD_DIM; d += kWarp) {
      x[d] = (x[d] - mean) * scale * (weight == nullptr ? 1.0f : ToFloat(weight[d])) +
             (bias == nullptr ? 0.0f : ToFloat(bias[d]));
    }
  }
  __syncwarp();
  for (int d = lane; d < HEAD_DIM; d += kWarp) {
    float result = x[d];
    if (turns != nullptr && d < 2 * pairs) {
      const int pair = interleaved ? d / 2 : d % pairs;
      const bool is_second = interleaved ? d % 2 != 0 : d >= pairs;
      const int distance = interleaved ? 1 : pairs;
      const float2 turn = turns[size_t(row) * pairs + pair];
      result = is_second ? x[d] * turn.x + x[d - distance] * turn.y
                         : x[d] * turn.x - x[d + distance] * turn.y;
    }
    FromFloat(result, head[d]);
  }
}
