#if !ON_TENSOR_CORES
// Attention (attention.cuh) for any head size and any type; one warp a query.
constexpr int kParts = (HEAD_DIM + kWarp - 1) / kWarp;

extern "C" __global__ void Attend(const Element* qkv, const Tile* tiles, int heads, int kv_heads,
                                  float scale, int behind, int ahead, const float* bias,
                                  const Element* of_queries, const Element* of_keys,
                                  const int* positions, int reach, Element* context) {
  extern __shared__ float queries_of_block[];  // [warps, HEAD_DIM]
  const Tile tile = tiles[blockIdx.x];
  if (tile.length == 0) return;
  const Attention attention = MakeAttention(heads, kv_heads, scale, behind, ahead, bias, of_queries,
                                            of_keys, positions, reach, tile);
  LoadBias(attention);
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  float* const query = queries_of_block + warp * HEAD_DIM;
  const size_t row_size = attention.row_size();
  const size_t head = blockIdx.y * size_t(HEAD_DIM);
  const Element* const of_sequence = qkv + tile.first_row * row_size;
  const Element* const queries = of_sequence + head;
  const Element* const keys = of_sequence + attention.width() + attention.kv_head() * HEAD_DIM;
  const Element* const values = keys + attention.kv_width();
  const int end = min(tile.first_query + WARP_QUERIES * int(blockDim.x / kWarp), tile.length);
  for (int row = tile.first_query + warp; row < end; row += blockDim.x / kWarp) {
    for (int d = lane; d < HEAD_DIM; d += kWarp)
      query[d] = ToFloat(queries[row * row_size + d]) * scale * kLog2E;
    __syncwarp();
    float sums[kParts] = {};
    float largest = -kInfinity;
    float denominator = 0;
    const int end_of_keys = attention.EndOfKeys(row, tile.length);
    for (int first_key = attention.FirstKey(row); first_key < end_of_keys; first_key += kWarp) {
      const int key = first_key + lane;
      float score = -kInfinity;
      if (key < end_of_keys) {
        score = Bias(attention, row, key);
#if POSITIONS
        score += attention.OfPositions(row, key) * scale * kLog2E;
#endif
        for (int d = 0; d < HEAD_DIM; ++d) score += query[d] * ToFloat(keys[key * row_size + d]);
      }
      const float most = fmaxf(largest, MaxOfWarp(score));
      const float shrink = exp2f(largest - most);
      const float p = exp2f(score - most);
      largest = most;
      denominator = denominator * shrink + SumOfWarp(p);
      const int count = min(kWarp, end_of_keys - first_key);
#pragma unroll
      for (int part = 0; part < kParts; ++part) {
        sums[part] *= shrink;
        const int d = part * kWarp + lane;
        for (int k = 0; k < count; ++k) {
          const float weight = __shfl_sync(kAllLanes, p, k);
          if (d < HEAD_DIM) sums[part] += weight * ToFloat(values[(first_key + k) * row_size + d]);
        }
      }
    }
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
      const int d = part * kWarp + lane;
      if (d < HEAD_DIM) {
        FromFloat(sums[part] / denominator,
                  context[(size_t(tile.first_row) + row) * attention.width() + head + d]);
      }
    }
    __syncwarp();
  }
}
#endif
