// A BLAS chooses its kernels, and with them the order of additions, by the numbers of rows and
// columns. So it is always given the same: rows are multiplied in chunks of one size, the last
// filled up with zeros, by blocks of output features, into a tile of its own. All that is left to
// differ is a row's place in its chunk, and that this makes no difference is seen when the weight
// is packed.
//
// The thread team takes the tiles; the BLAS itself runs on the thread that calls it, so that its
// threads and the team's do not wait for the same processors.

#include "backends/cpu/blas_linear.h"

#if defined(EMBEDDING_BLAS)

#ifdef __APPLE__
#define ACCELERATE_NEW_LAPACK
#include <Accelerate/Accelerate.h>
#include <dlfcn.h>
#include <sys/sysctl.h>
#endif

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <initializer_list>

#include "backends/cpu/add_bias.h"
#include "backends/cpu/micro_kernels.h"
#include "base/aligned_buffer.h"

#ifndef __APPLE__
// What is used of a BLAS, as every one has it; its header has other names in each.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {
enum CBLAS_ORDER { CblasRowMajor = 101 };
enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112 };
void cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b, int m,
                 int n, int k, float alpha, const float* a, int lda, const float* b, int ldb,
                 float beta, float* c, int ldc);
void openblas_set_num_threads(int threads) __attribute__((weak));
char* openblas_get_config() __attribute__((weak));
void bli_thread_set_num_threads(int64_t threads) __attribute__((weak));
const char* bli_info_get_version_str() __attribute__((weak));
}
// NOLINTEND(readability-identifier-naming)
#endif

namespace embedding {
namespace {

// Two tiles of Apple's matrix unit; more would be computed in vain where a request is short.
constexpr size_t kChunkRows = 32;
// Output features of a block: 1,024 x 128 f32 are 512 KB, which stay in the L2 cache while chunks
// pass by, and the smallest models still have a few blocks to share.
constexpr size_t kBlockColumns = 128;
static_assert(kBlockColumns % kMaxPanelWidth == 0);

// Of this thread from now on.
void KeepBlasToOneThread() {
  thread_local const bool kDone = [] {
#ifdef __APPLE__
    // Since macOS 15, for the thread that calls it: vecLib/thread_api.h. Before, the variable,
    // which is read at the first product.
    auto* const set_threading =
        reinterpret_cast<int (*)(unsigned)>(::dlsym(RTLD_DEFAULT, "BLASSetThreading"));
    constexpr unsigned kSingleThreaded = 1;
    if (set_threading == nullptr || set_threading(kSingleThreaded) != 0) {
      ::setenv("VECLIB_MAXIMUM_THREADS", "1", /*overwrite=*/0);
    }
#else
    if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
    if (bli_thread_set_num_threads != nullptr) bli_thread_set_num_threads(1);
#endif
    return true;
  }();
  static_cast<void>(kDone);
}

size_t RoundUp(size_t n, size_t to) { return (n + to - 1) / to * to; }

class BlasLinear : public Linear {
 public:
  BlasLinear(ThreadTeam& team, DType output, const LinearWeights& weights, Activation activation)
      : team_(team),
        ends_(BiasEnds(output, activation, /*gated=*/false)),
        in_features_(weights.in_features),
        out_features_(weights.out_features),
        activation_(activation),
        weight_(in_features_ * out_features_),
        bias_(RoundUp(out_features_, kBlockColumns)) {
    std::copy(weights.weight.begin(), weights.weight.end(), weight_.data());
    std::fill_n(bias_.data(), bias_.size(), 0.0F);
    std::copy(weights.bias.begin(), weights.bias.end(), bias_.data());
  }

  void Run(const InputView& input, const OutputView& output, const RowEpilogue& epilogue) override {
    const size_t chunks = RoundUp(input.rows, kChunkRows) / kChunkRows;
    const auto multiply = [&](size_t task) {
      const size_t block = task / chunks;
      const size_t first_row = task % chunks * kChunkRows;
      const size_t rows = std::min(kChunkRows, input.rows - first_row);
      const float* const sums = Multiply(Chunk(input, first_row, rows), block);
      for (size_t r = 0; r < rows; ++r) {
        FinishRow(sums + r * kBlockColumns, block, first_row + r, output.data);
      }
    };
    ParallelFor(team_, chunks * Blocks(), multiply, output.rows, epilogue);
  }

  // Whether a row's result is the same at every place of a chunk, by every size of block.
  bool KeepsRowsApart() const {
    AlignedBuffer<float> chunk(kChunkRows * in_features_);
    for (size_t i = 0; i < chunk.size(); ++i) {
      // Numbers whose sums round: of both signs, with all bits of their fractions.
      chunk[i] = std::sin(static_cast<float>(i % in_features_ + 1));
    }
    for (const size_t block : {size_t{0}, Blocks() - 1}) {
      const float* const sums = Multiply(chunk.data(), block);
      for (size_t r = 1; r < kChunkRows; ++r) {
        const float* const row = sums + r * kBlockColumns;
        if (!std::equal(row, row + Columns(block), sums)) return false;
      }
    }
    return true;
  }

 private:
  size_t Blocks() const { return bias_.size() / kBlockColumns; }
  size_t Columns(size_t block) const {
    return std::min(kBlockColumns, out_features_ - block * kBlockColumns);
  }

  // kChunkRows rows, of which the first `rows` are the input's, from a cache line on: where a row
  // lies in memory is to make no difference either.
  const float* Chunk(const InputView& input, size_t first_row, size_t rows) const {
    const auto* const from = static_cast<const float*>(input.data) + first_row * in_features_;
    if (rows == kChunkRows && reinterpret_cast<uintptr_t>(from) % kCacheLineBytes == 0) return from;
    thread_local AlignedBuffer<float> filled;
    filled.Resize(kChunkRows * in_features_);
    float* const end = std::copy_n(from, rows * in_features_, filled.data());
    std::fill(end, filled.data() + filled.size(), 0.0F);
    return filled.data();
  }

  // [kChunkRows, kBlockColumns], this thread's until its next product.
  const float* Multiply(const float* chunk, size_t block) const {
    KeepBlasToOneThread();
    thread_local AlignedBuffer<float> sums(kChunkRows * kBlockColumns);
    const int in = static_cast<int>(in_features_);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(kChunkRows),
                static_cast<int>(Columns(block)), in, 1.0F, chunk, in,
                weight_.data() + block * kBlockColumns * in_features_, in, 0.0F, sums.data(),
                static_cast<int>(kBlockColumns));
    return sums.data();
  }

  void FinishRow(const float* sums, size_t block, size_t row, void* output) const {
    const size_t columns = Columns(block);
    for (size_t c = 0; c < columns; c += kMaxPanelWidth) {
      const size_t feature = block * kBlockColumns + c;
      const TileColumns tile = {bias_.data() + feature, activation_, kMaxPanelWidth,
                                std::min(kMaxPanelWidth, columns - c)};
      const TileEnd end = {.columns = tile,
                           .place = {{output, row + 1, out_features_}, row, feature},
                           .sums = sums + c};
      ends_.run(&end, 0, 1);
    }
  }

  ThreadTeam& team_;
  const TileEndFunctions ends_;
  const size_t in_features_;
  const size_t out_features_;
  const Activation activation_;
  AlignedBuffer<float> weight_;  // [out_features, in_features]
  AlignedBuffer<float> bias_;    // [blocks * kBlockColumns]
};

}  // namespace

std::unique_ptr<Linear> PackBlasLinear(ThreadTeam& team, DType output, const LinearWeights& weights,
                                       Activation activation) {
  auto linear = std::make_unique<BlasLinear>(team, output, weights, activation);
  if (!linear->KeepsRowsApart()) return nullptr;
  return linear;
}

std::string BlasName() {
#ifdef __APPLE__
  // Accelerate comes with the system, and its version is the system's.
  std::array<char, 64> build{};
  size_t size = build.size() - 1;
  if (::sysctlbyname("kern.osversion", build.data(), &size, nullptr, 0) != 0) build.front() = '\0';
  return fmt::format("{} of macOS {}", EMBEDDING_BLAS, build.data());
#else
  const char* const version = openblas_get_config != nullptr ? openblas_get_config()
                              : bli_info_get_version_str != nullptr ? bli_info_get_version_str()
                                                                    : "";
  return fmt::format("{} {}", EMBEDDING_BLAS, version);
#endif
}

}  // namespace embedding

#endif
