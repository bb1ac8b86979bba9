#if ON_TENSOR_CORES
// Attention (attention.cuh) on the tensor cores: mma.sync.m16n8k16. (PTX ISA, "Matrix Fragments for mma.m16n8k16": in lane
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
__device__ inline void CopyKeysAndValues(const Element* keys, size_t row_size, size_t kv_width,
                                         int first, int length, Element* stage) {
  constexpr int kChunks = HEAD_DIM / 8;  // of 16 bytes, in a row
  for (int i = threadIdx.x; i < 2 * kKeys * kChunks; i += blockDim.x) {
    const int row = i / kChunks % kKeys;
    const int is_value = i / (kChunks * kKeys);
    const int column = i % kChunks * 8;
    const bool is_there = first + row < length;
    const Element* const from =
        keys + (is_there ? first + row : 0) * row_size + is_value * kv_width + column;
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

  // Takes in a stage: the keys from `key` on, of a sequence of so many tokens. `first` is the warp's
  // first query. The scale is that of exponents of 2.
  __device__ void Attend(const Element* stage, const Attention& attention, int first, int key,
                         int length) {
    const int lane = threadIdx.x % kWarp;
    float scale = attention.scale * kLog2E;
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
    const int last = min(first + WARP_QUERIES, length) - 1;
#if POSITIONS
    ForEachScore(scores, first, key, [&](float& score, int query, int of) {
      score += attention.OfPositions(min(query, last), min(of, length - 1));
    });
#endif
#if RELATIVE_DISTANCE
    ForEachScore(scores, first, key, [&](float& score, int query, int of) {
      score = score * scale + Bias(attention, query, of);
    });
    scale = 1;
#endif
    if (key + kKeys > length) {
      ForEachScore(scores, first, key, [length](float& score, int, int of) {
        if (of >= length) score = -kInfinity;
      });
    }
    if (!attention.SeeAll(first, last, key, key + kKeys - 1)) {
      ForEachScore(scores, first, key, [&](float& score, int query, int of) {
        if (!attention.Sees(query, of)) score = -kInfinity;
      });
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

  // each(score, its query, its key), of the lane's own.
  template <typename Each>
  __device__ static void ForEachScore(float (&scores)[kRowBlocks][kKeys / 8][4], int first, int key,
                                      const Each& each) {
    const int lane = threadIdx.x % kWarp;
#pragma unroll
    for (int block = 0; block < kRowBlocks; ++block) {
#pragma unroll
      for (int column = 0; column < kKeys / 8; ++column) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          each(scores[block][column][i], first + block * 16 + i / 2 * 8 + lane / 4,
               key + column * 8 + lane % 4 * 2 + i % 2);
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
      // Where it has seen no key yet.
      const float offset = SEES_PART && most == -kInfinity ? 0.0f : most * scale;
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
    Attend(const Element* qkv, const Tile* tiles, int heads, int kv_heads, float scale, int behind,
           int ahead, const float* bias, const Element* of_queries, const Element* of_keys,
           const int* positions, int reach, Element* context) {
  extern __shared__ __align__(16) char shared[];
  Element* const stages = reinterpret_cast<Element*>(shared);
  const Tile tile = tiles[blockIdx.x];
  if (tile.length == 0) return;
  const Attention attention = MakeAttention(heads, kv_heads, scale, behind, ahead, bias, of_queries,
                                            of_keys, positions, reach, tile);
  LoadBias(attention);
  const size_t row_size = attention.row_size();
  const size_t kv_width = attention.kv_width();
  const Element* const of_sequence = qkv + tile.first_row * row_size;
  const Element* const queries = of_sequence + blockIdx.y * size_t(HEAD_DIM);
  const Element* const keys = of_sequence + attention.width() + attention.kv_head() * HEAD_DIM;
  const int first = tile.first_query + threadIdx.x / kWarp * WARP_QUERIES;
  const int last = min(first + WARP_QUERIES, tile.length) - 1;
  const bool has_queries = first < tile.length;
  const int last_of_block =
      min(tile.first_query + int(blockDim.x) / kWarp * WARP_QUERIES, tile.length) - 1;
  const int end = attention.EndOfKeys(last_of_block, tile.length);

  int key = attention.FirstKey(tile.first_query) / kKeys * kKeys;
  CopyKeysAndValues(keys, row_size, kv_width, key, tile.length, stages);
  Queries of_warp;
  if (has_queries) of_warp.Load(queries, row_size, first, tile.length);
  for (int stage = 0; key < end; key += kKeys, stage ^= 1) {
    if (key + kKeys < end) {
      CopyKeysAndValues(keys, row_size, kv_width, key + kKeys, tile.length,
                        stages + (stage ^ 1) * kStageElements);
      asm volatile("cp.async.wait_group 1;");
    } else {
      asm volatile("cp.async.wait_group 0;");
    }
    __syncthreads();
    if (has_queries && attention.SeeAny(first, last, key, key + kKeys - 1))
      of_warp.Attend(stages + stage * kStageElements, attention, first, key, tile.length);
    __syncthreads();
  }
  if (has_queries) {
    const size_t width = attention.width();
    of_warp.Store(context + tile.first_row * width + blockIdx.y * size_t(HEAD_DIM), int(width),
                  first, tile.length);
  }
}
#endif
