// The numbers that an encoder computes with. These files are one program, in the order that
// kernel_sources.cc.in has, compiled at run time for one model on one GPU: cuda_kernels.cc sets what
// stands here in capitals. ELEMENT_BITS and ELEMENT_IS_BF16 say which numbers, HIDDEN_SIZE,
// EMBEDDING_SIZE, HEAD_DIM, RELATIVE_DISTANCE, POSITIONS and SEES_PART are the model's.

typedef unsigned short uint16;
typedef unsigned int uint32;
typedef unsigned long long uint64;

struct Float16 {
  uint16 bits;
};
struct BFloat16 {
  uint16 bits;
};

#if ELEMENT_BITS == 32
typedef float Element;
#elif ELEMENT_IS_BF16
typedef BFloat16 Element;
#else
typedef Float16 Element;
#endif

__device__ inline float ToFloat(float x) { return x; }
__device__ inline float ToFloat(Float16 x) {
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(x.bits));
  return result;
}
__device__ inline float ToFloat(BFloat16 x) { return __uint_as_float(uint32(x.bits) << 16); }

// Rounds to nearest, ties to even.
__device__ inline void FromFloat(float x, float& result) { result = x; }
__device__ inline void FromFloat(float x, Float16& result) {
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
}
__device__ inline void FromFloat(float x, BFloat16& result) {
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
}

// Numbers side by side that are read and written at once: 16 bytes of them, or one where rows do not
// begin at multiples of 16 bytes.
template <typename T, int kSize>
struct __align__(sizeof(T) * kSize) Pack {
  T x[kSize];
};

template <typename T, int kRow>
struct VectorOf {
  static constexpr int kSize = kRow % (16 / sizeof(T)) == 0 ? 16 / sizeof(T) : 1;
  typedef Pack<T, kSize> Type;
};

#define kInfinity __int_as_float(0x7f800000)
constexpr int kWarp = 32;
constexpr uint32 kAllLanes = 0xffffffffu;

__device__ inline float SumOfWarp(float x) {
#pragma unroll
  for (int other = kWarp / 2; other > 0; other /= 2) x += __shfl_xor_sync(kAllLanes, x, other);
  return x;
}

__device__ inline float MaxOfWarp(float x) {
#pragma unroll
  for (int other = kWarp / 2; other > 0; other /= 2)
    x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, other));
  return x;
}
