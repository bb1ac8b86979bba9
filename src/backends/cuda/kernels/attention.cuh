// Attention over ragged sequences: softmax(scale * q k^T + bias) v, without the scores in memory
// (Dao et al. 2022, "FlashAttention"; Milakov and Gimelshein 2018 for the running softmax). What a
// query gives does not depend on the other sequences, nor on how many there are.
//
// `qkv` is [rows, (heads + 2 * kv_heads) * HEAD_DIM]: q, k and v of each token, their heads side by
// side; neighbouring heads share keys and values. A query sees the keys from `behind` tokens behind
// it to `ahead` tokens ahead of it. A block of one to four warps computes WARP_QUERIES queries a
// warp, of one sequence (blockIdx.x) and one head (blockIdx.y).

// As in attention_tiles.h.
struct Tile {
  int first_row;    // of the sequence
  int length;       // of the sequence; 0 for a tile that only fills up the grid
  int first_query;  // in the sequence
  int unused;
};

constexpr float kLog2E = 1.4426950408889634f;

struct Attention {
  int heads;
  int kv_heads;
  float scale;
  int behind;
  int ahead;
  const float* bias;  // where RELATIVE_DISTANCE is not 0, as in cuda_attention.h
  // Where POSITIONS is not 0, DeBERTa's relative positions: the products of each query with their
  // keys and of each key with their queries, of the sequence's tokens on, [rows, heads, POSITIONS],
  // either of which may be null; and by how far a key is behind, from -reach to reach, which farther
  // ones share, the position.
  const Element* of_queries;
  const Element* of_keys;
  const int* positions;
  int reach;

  __device__ size_t width() const { return size_t(heads) * HEAD_DIM; }
  __device__ size_t kv_width() const { return size_t(kv_heads) * HEAD_DIM; }
  __device__ size_t row_size() const { return width() + 2 * kv_width(); }
  __device__ size_t kv_head() const { return blockIdx.y / (heads / kv_heads); }

#if POSITIONS
  // What a pair's distance adds to the product of the two.
  __device__ float OfPositions(int query, int key) const {
    const int position = positions[min(max(query - key, -reach), reach) + reach];
    float sum = 0;
    if (of_queries != nullptr) sum += ToFloat(of_queries[Place(query) + position]);
    if (of_keys != nullptr) sum += ToFloat(of_keys[Place(key) + position]);
    return sum;
  }
  __device__ size_t Place(int token) const {
    return (size_t(token) * heads + blockIdx.y) * POSITIONS;
  }
#endif

  // Without SEES_PART, which is known when this is compiled, every query sees every key.
  __device__ bool Sees(int query, int key) const {
    return !SEES_PART || (key - query <= ahead && query - key <= behind);
  }
  // Whether every query from `query` to `last_query` sees every key from `key` to `last_key`.
  __device__ bool SeeAll(int query, int last_query, int key, int last_key) const {
    return !SEES_PART || (last_key - query <= ahead && last_query - key <= behind);
  }
  // Whether any of them sees any.
  __device__ bool SeeAny(int query, int last_query, int key, int last_key) const {
    return !SEES_PART || (key - last_query <= ahead && query - last_key <= behind);
  }
  // Of a sequence's keys the first that a query sees, and the end of those that it sees.
  __device__ int FirstKey(int query) const { return SEES_PART ? max(0, query - behind) : 0; }
  __device__ int EndOfKeys(int query, int length) const {
    return SEES_PART ? min(length, query + ahead + 1) : length;
  }
};

// For a sequence of the batch.
__device__ inline Attention MakeAttention(int heads, int kv_heads, float scale, int behind,
                                          int ahead, const float* bias, const Element* of_queries,
                                          const Element* of_keys, const int* positions, int reach,
                                          const Tile& tile) {
  Attention attention = {heads,      kv_heads, scale,     behind, ahead, bias,
                         of_queries, of_keys,  positions, reach};
#if POSITIONS
  const size_t first = size_t(tile.first_row) * heads * POSITIONS;
  if (of_queries != nullptr) attention.of_queries += first;
  if (of_keys != nullptr) attention.of_keys += first;
#endif
  return attention;
}

// What is added to a score for the exponents of 2, of the block's head: by how far the key is ahead,
// from -RELATIVE_DISTANCE to RELATIVE_DISTANCE, which farther ones share.
#if RELATIVE_DISTANCE
constexpr int kDistances = 2 * RELATIVE_DISTANCE + 1;
constexpr bool kBiasIsShared = kDistances <= 4096;  // or it stays in the caches of the GPU
__shared__ float bias_of_head[kBiasIsShared ? kDistances : 1];

__device__ inline void LoadBias(const Attention& attention) {
  if (!kBiasIsShared) return;
  for (int i = threadIdx.x; i < kDistances; i += blockDim.x)
    bias_of_head[i] = attention.bias[blockIdx.y * kDistances + i];
  __syncthreads();
}
__device__ inline float Bias(const Attention& attention, int query, int key) {
  const int place = min(max(key - query, -RELATIVE_DISTANCE), RELATIVE_DISTANCE) + RELATIVE_DISTANCE;
  return kBiasIsShared ? bias_of_head[place] : attention.bias[blockIdx.y * kDistances + place];
}
#else
__device__ inline void LoadBias(const Attention&) {}
__device__ inline float Bias(const Attention&, int, int) { return 0.0f; }
#endif
