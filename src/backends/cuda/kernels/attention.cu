// Attention over ragged sequences: softmax(q k^T / sqrt(head_dim)) v, without the scores in memory
// (Dao et al. 2022, "FlashAttention"; Milakov and Gimelshein 2018 for the running softmax). What a
// query gives does not depend on the other sequences, nor on how many there are.
//
// `qkv` is [rows, 3 * width]: q, k and v of each token, their heads side by side. A block of one to
// four warps computes WARP_QUERIES queries a warp, of one sequence (blockIdx.x) and one head
// (blockIdx.y).

// As in attention_tiles.h.
struct Tile {
  int first_row;    // of the sequence
  int length;       // of the sequence; 0 for a tile that only fills up the grid
  int first_query;  // in the sequence
  int unused;
};

constexpr float kLog2E = 1.4426950408889634f;

#if ON_TENSOR_CORES

// On the tensor cores: mma.sync.m16n8k16. (PTX ISA, "Matrix Fragments for mma.m16n8k16": in lane
// 4 g + t, registers hold rows g and g + 8, columns 2 t, 2 t + 1 and those 8 further on.)
constexpr int kRowBlocks = WARP_QUERIES / 16;  // of 16 queries, that a warp has
constexpr int kKeys = TILE_KEYS;  // that are in shared memory at a time, twice
constexpr int kSteps = HEAD_DIM / 16;
// Eight numbers more than a row has, so that eight rows lie in different banks.
constexpr int kSharedRow = HEAD_DIM + 8;
constexpr int kStageElements = 2 * kKeys * kSharedRow;  // keys, then values

__device__ inline uint32 PackTwo(float low, float high) {
  uint32 packed;
#if ELEMENT_IS_BF16
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
#else
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
#endif
  return packed;
}

// sums += a b, [16, 8] of [16, 16] and [16, 8].
__device__ inline void Multiply(float (&sums)[4], const uint32 (&a)[4], uint32 b0, uint32 b1) {
#if ELEMENT_IS_BF16
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
#endif
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

__device__ inline uint32 SharedAddress(const void* pointer) {
  return static_cast<uint32>(__cvta_generic_to_shared(pointer));
}

// Four matrices of 8 x 8, each of whose rows a lane names.
__device__ inline void LoadMatrices(uint32 (&to)[4], const Element* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(SharedAddress(row)));
}
__device__ inline void LoadMatricesTransposed(uint32 (&to)[4], const Element* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(SharedAddress(row)));
}

// Begins to copy keys and values [first, first + kKeys) of a sequence; zeros beyond its end.
__device__ inline void CopyKeysAndValues(const Element* keys, size_t row_size, int width, int first,
                                         int length, Element* stage) {
  constexpr int kChunks = HEAD_DIM / 8;  // of 16 bytes, in a row
  for (int i = threadIdx.x; i < 2 * kKeys * kChunks; i += blockDim.x) {
    const int row = i / kChunks % kKeys;
    const int is_value = i / (kChunks * kKeys);
    const int column = i % kChunks * 8;
    const bool is_there = first + row < length;
    const Element* const from =
        keys + (is_there ? first + row : 0) * row_size + is_value * size_t(width) + column;
    Element* const to = stage + (is_value * kKeys + row) * kSharedRow + column;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(SharedAddress(to)),
                 "l"(from), "r"(is_there ? 16 : 0));
  }
  asm volatile("cp.async.commit_group;");
}

// One warp's queries and what has been summed up of their context.
struct Queries {
  uint32 q[kRowBlocks][kSteps][4];
  float context[kRowBlocks][HEAD_DIM / 8][4] = {};
  float largest[kRowBlocks][2];
  float denominators[kRowBlocks][2];  // of the lane's own columns alone

  // Rows from `first` on; beyond `length` the last one again.
  __device__ void Load(const Element* queries, size_t row_size, int first, int length) {
    const int lane = threadIdx.x % kWarp;
#pragma unroll
    for (int block = 0; block < kRowBlocks; ++block) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = min(first + block * 16 + half * 8 + lane / 4, length - 1);
        const Element* const from = queries + row * row_size + lane % 4 * 2;
#pragma unroll
        for (int step = 0; step < kSteps; ++step) {
          q[block][step][half] = *reinterpret_cast<const uint32*>(from + step * 16);
          q[block][step][2 + half] = *reinterpret_cast<const uint32*>(from + step * 16 + 8);
        }
        largest[block][half] = -kInfinity;
        denominators[block][half] = 0;
      }
    }
  }

  // Takes in a stage, of which `count` keys are there.
  __device__ void Attend(const Element* stage, int count, float scale) {
    const int lane = threadIdx.x % kWarp;
    const int matrix = lane / 8;
    float scores[kRowBlocks][kKeys / 8][4] = {};
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
#pragma unroll
      for (int pair = 0; pair < kKeys / 16; ++pair) {
        uint32 k[4];
        LoadMatrices(k, stage + (pair * 16 + matrix / 2 * 8 + lane % 8) * kSharedRow + step * 16 +
                            matrix % 2 * 8);
#pragma unroll
        for (int block = 0; block < kRowBlocks; ++block) {
          Multiply(scores[block][2 * pair], q[block][step], k[0], k[1]);
          Multiply(scores[block][2 * pair + 1], q[block][step], k[2], k[3]);
        }
      }
    }
    if (count < kKeys) {
#pragma unroll
      for (int column = 0; column < kKeys / 8; ++column) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          if (column * 8 + lane % 4 * 2 + i % 2 < count) continue;
#pragma unroll
          for (int block = 0; block < kRowBlocks; ++block) scores[block][column][i] = -kInfinity;
        }
      }
    }
#pragma unroll
    for (int block = 0; block < kRowBlocks; ++block) Exponentiate(scores[block], block, scale);
    const Element* const values = stage + kKeys * kSharedRow;
#pragma unroll
    for (int step = 0; step < kKeys / 16; ++step) {
      uint32 p[kRowBlocks][4];
#pragma unroll
      for (int block = 0; block < kRowBlocks; ++block) {
        const float(&low)[4] = scores[block][2 * step];
        const float(&high)[4] = scores[block][2 * step + 1];
        p[block][0] = PackTwo(low[0], low[1]);
        p[block][1] = PackTwo(low[2], low[3]);
        p[block][2] = PackTwo(high[0], high[1]);
        p[block][3] = PackTwo(high[2], high[3]);
      }
#pragma unroll
      for (int pair = 0; pair < HEAD_DIM / 16; ++pair) {
        uint32 v[4];
        LoadMatricesTransposed(v, values + (step * 16 + matrix % 2 * 8 + lane % 8) * kSharedRow +
                                      pair * 16 + matrix / 2 * 8);
#pragma unroll
        for (int block = 0; block < kRowBlocks; ++block) {
          Multiply(context[block][2 * pair], p[block], v[0], v[1]);
          Multiply(context[block][2 * pair + 1], p[block], v[2], v[3]);
        }
      }
    }
  }

  // scores = exp(scale * (scores - the largest so far)); what was summed before shrinks accordingly.
  __device__ void Exponentiate(float (&scores)[kKeys / 8][4], int block, float scale) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float most = largest[block][half];
#pragma unroll
      for (int column = 0; column < kKeys / 8; ++column)
        most = fmaxf(most, fmaxf(scores[column][2 * half], scores[column][2 * half + 1]));
      most = fmaxf(most, __shfl_xor_sync(kAllLanes, most, 1));
      most = fmaxf(most, __shfl_xor_sync(kAllLanes, most, 2));
      const float offset = most * scale;
      const float shrink = exp2f(largest[block][half] * scale - offset);
      largest[block][half] = most;
      float sum = 0;
#pragma unroll
      for (int column = 0; column < kKeys / 8; ++column) {
#pragma unroll
        for (int i = 2 * half; i < 2 * half + 2; ++i) {
          scores[column][i] = exp2f(scores[column][i] * scale - offset);
          sum += scores[column][i];
        }
      }
      denominators[block][half] = denominators[block][half] * shrink + sum;
#pragma unroll
      for (int column = 0; column < HEAD_DIM / 8; ++column) {
        context[block][column][2 * half] *= shrink;
        context[block][column][2 * half + 1] *= shrink;
      }
    }
  }

  __device__ void Store(Element* to, int width, int first, int length) {
    const int lane = threadIdx.x % kWarp;
#pragma unroll
    for (int block = 0; block < kRowBlocks; ++block) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float sum = denominators[block][half];
        sum += __shfl_xor_sync(kAllLanes, sum, 1);
        sum += __shfl_xor_sync(kAllLanes, sum, 2);
        const float factor = 1.0f / sum;
        const int row = first + block * 16 + half * 8 + lane / 4;
        if (row >= length) continue;
        Element* const of_row = to + row * size_t(width) + lane % 4 * 2;
#pragma unroll
        for (int column = 0; column < HEAD_DIM / 8; ++column) {
          const float(&sums)[4] = context[block][column];
          *reinterpret_cast<uint32*>(of_row + column * 8) =
              PackTwo(sums[2 * half] * factor, sums[2 * half + 1] * factor);
        }
      }
    }
  }
};

extern "C" __global__ void __launch_bounds__(4 * kWarp)
    Attend(const Element* qkv, const Tile* tiles, int width, float scale, Element* context) {
  extern __shared__ __align__(16) char shared[];
  Element* const stages = reinterpret_cast<Element*>(shared);
  const Tile tile = tiles[blockIdx.x];
  if (tile.length == 0) return;
  const size_t row_size = 3 * size_t(width);
  const Element* const queries = qkv + tile.first_row * row_size + blockIdx.y * size_t(HEAD_DIM);
  const Element* const keys = queries + width;
  const int first = tile.first_query + threadIdx.x / kWarp * kRowBlocks * 16;
  const bool has_queries = first < tile.length;

  CopyKeysAndValues(keys, row_size, width, 0, tile.length, stages);
  Queries of_warp;
  if (has_queries) of_warp.Load(queries, row_size, first, tile.length);
  for (int key = 0, stage = 0; key < tile.length; key += kKeys, stage ^= 1) {
    if (key + kKeys < tile.length) {
      CopyKeysAndValues(keys, row_size, width, key + kKeys, tile.length,
                        stages + (stage ^ 1) * kStageElements);
      asm volatile("cp.async.wait_group 1;");
    } else {
      asm volatile("cp.async.wait_group 0;");
    }
    __syncthreads();
    if (has_queries)
      of_warp.Attend(stages + stage * kStageElements, tile.length - key, scale * kLog2E);
    __syncthreads();
  }
  if (has_queries) {
    of_warp.Store(context + size_t(tile.first_row) * width + blockIdx.y * size_t(HEAD_DIM), width,
                  first, tile.length);
  }
}

#else

// For any head size and any type; one warp a query.
constexpr int kParts = (HEAD_DIM + kWarp - 1) / kWarp;

extern "C" __global__ void Attend(const Element* qkv, const Tile* tiles, int width, float scale,
                                  Element* context) {
  extern __shared__ float queries_of_block[];  // [warps, HEAD_DIM]
  const Tile tile = tiles[blockIdx.x];
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  float* const query = queries_of_block + warp * HEAD_DIM;
  const size_t row_size = 3 * size_t(width);
  const size_t head = blockIdx.y * size_t(HEAD_DIM);
  const Element* const of_sequence = qkv + tile.first_row * row_size + head;
  const Element* const keys = of_sequence + width;
  const Element* const values = keys + width;
  const int end = min(tile.first_query + WARP_QUERIES * int(blockDim.x / kWarp), tile.length);
  for (int row = tile.first_query + warp; row < end; row += blockDim.x / kWarp) {
    for (int d = lane; d < HEAD_DIM; d += kWarp)
      query[d] = ToFloat(of_sequence[row * row_size + d]) * scale * kLog2E;
    __syncwarp();
    float sums[kParts] = {};
    float largest = -kInfinity;
    float denominator = 0;
    for (int first_key = 0; first_key < tile.length; first_key += kWarp) {
      const int key = first_key + lane;
      float score = -kInfinity;
      if (key < tile.length) {
        score = 0;
        for (int d = 0; d < HEAD_DIM; ++d) score += query[d] * ToFloat(keys[key * row_size + d]);
      }
      const float most = fmaxf(largest, MaxOfWarp(score));
      const float shrink = exp2f(largest - most);
      const float p = exp2f(score - most);
      largest = most;
      denominator = denominator * shrink + SumOfWarp(p);
      const int count = min(kWarp, tile.length - first_key);
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
      if (d < HEAD_DIM)
        FromFloat(sums[part] / denominator,
                  context[(size_t(tile.first_row) + row) * width + head + d]);
    }
    __syncwarp();
  }
}

#endif
