// output = input * weight^T by outer products, after Goto and van de Geijn (2008), "Anatomy of
// High-Performance Matrix Multiplication", for a weight that is packed once.
//
// The weight is packed in panels of two vectors' width: panel p holds, for each input feature in
// turn, that feature's weights of output features [p * width, (p + 1) * width). The kernel keeps
// the sums of a few rows and one panel in registers and adds, feature by feature, the outer product
// of the rows' inputs and the panel's weights: two loads and a broadcast a row for 2 x rows
// multiply-adds. Features go in blocks of kDepthBlock, so that a panel's block stays in the L1
// cache while all rows pass by it, and the rows' block in the L2; sums are carried from block to
// block through the output. Bias opens the sums and GELU closes them, so the output is touched once
// more for neither.
//
// Where several groups of rows pass by a panel's block, it is first copied to a place that stays in
// the L1 cache. (Read where it lies, it and the rows, at strides of a power of two, push one
// another out: 164 instead of 177 GFLOP/s with AVX2 and 512 rows.) A weight may be stored in f16,
// which halves what a product of few rows costs, reading it; it is widened by that copy.
//
// Every sum takes its terms in the order of the features, whatever the number of rows: a row's
// result does not depend on its batch.

#include "backends/cpu/panel_matmul.h"

#include <algorithm>
#include <type_traits>

#include "backends/cpu/parallel.h"
#include "base/aligned_buffer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/panel_matmul.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "backends/cpu/elementwise-inl.h"
#include "backends/cpu/register_tile-inl.h"
#include "hwy/highway.h"

#ifndef EMBEDDING_PANEL_MATMUL_TYPES
#define EMBEDDING_PANEL_MATMUL_TYPES
namespace embedding {

// Features a block: with panels of 16 floats 16 KB, half of the smallest L1 cache in use.
constexpr size_t kDepthBlock = 256;

// The part of a product that one thread computes: all rows, panels [first_panel, last_panel).
template <typename Stored>  // float or hwy::float16_t
struct PanelTask {
  const float* input;  // [rows, in_features]
  size_t rows;
  size_t in_features;
  const Stored* panels;  // [panels][in_features][width]
  const float* bias;     // [panels * width]
  size_t first_panel;
  size_t last_panel;
  float* output;  // [rows, out_features]
  size_t out_features;
  bool gelu;
};

}  // namespace embedding
#endif

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

size_t PanelWidth() { return 2 * hn::Lanes(D()); }

// `size` is a multiple of two vectors, `from` and `to` are aligned.
void NarrowToF16(const float* HWY_RESTRICT from, size_t size, hwy::float16_t* HWY_RESTRICT to) {
  const D d;
  const hn::Rebind<hwy::float16_t, D> d16;
  for (size_t i = 0; i < size; i += hn::Lanes(d)) {
    hn::Store(hn::DemoteTo(d16, hn::Load(d, from + i)), d16, to + i);
  }
}

HWY_INLINE V LoadWeights(const float* from) { return hn::Load(D(), from); }
HWY_INLINE V LoadWeights(const hwy::float16_t* from) {
  return hn::PromoteTo(D(), hn::Load(hn::Rebind<hwy::float16_t, D>(), from));
}

// Features [first, first + depth) of kRows rows and one panel, whose weights of these features are
// `weights`. The first block starts from the bias, the last applies the activation.
template <size_t kRows, typename Stored, typename Weight>
HWY_INLINE void MultiplyBlock(const PanelTask<Stored>& task, const Weight* HWY_RESTRICT weights,
                              size_t row, size_t panel, size_t first, size_t depth) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const size_t width = 2 * lanes;
  const size_t column = panel * width;
  const float* HWY_RESTRICT input = task.input + row * task.in_features + first;
  float* HWY_RESTRICT output = task.output + row * task.out_features + column;
  const bool whole = column + width <= task.out_features;
  const bool last = first + depth == task.in_features;

  // A panel that is cut by the output's edge goes through a copy.
  HWY_ALIGN float edge[kTileRows * HWY_MAX_BYTES / sizeof(float) * 2];
  const size_t columns = std::min(width, task.out_features - column);
  float* HWY_RESTRICT sums = whole ? output : edge;
  const size_t stride = whole ? task.out_features : width;
  if (!whole && first != 0) {
    for (size_t r = 0; r < kRows; ++r) {
      std::copy_n(output + r * task.out_features, columns, edge + r * width);
    }
  }

  V sum0[kRows];
  V sum1[kRows];
  for (size_t r = 0; r < kRows; ++r) {
    const float* start = first == 0 ? task.bias + column : sums + r * stride;
    sum0[r] = hn::LoadU(d, start);
    sum1[r] = hn::LoadU(d, start + lanes);
  }
  for (size_t i = 0; i < depth; ++i) {
    const V weight0 = LoadWeights(weights + i * width);
    const V weight1 = LoadWeights(weights + i * width + lanes);
    for (size_t r = 0; r < kRows; ++r) {
      const V value = hn::Set(d, input[r * task.in_features + i]);
      sum0[r] = hn::MulAdd(value, weight0, sum0[r]);
      sum1[r] = hn::MulAdd(value, weight1, sum1[r]);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    if (last && task.gelu) {
      sum0[r] = Gelu(d, sum0[r]);
      sum1[r] = Gelu(d, sum1[r]);
    }
    hn::StoreU(sum0[r], d, sums + r * stride);
    hn::StoreU(sum1[r], d, sums + r * stride + lanes);
  }
  if (!whole) {
    for (size_t r = 0; r < kRows; ++r) {
      std::copy_n(edge + r * width, columns, output + r * task.out_features);
    }
  }
}

template <typename Stored, typename Weight>
void MultiplyRows(const PanelTask<Stored>& task, const Weight* weights, size_t rows, size_t row,
                  size_t panel, size_t first, size_t depth) {
  switch (rows) {
    case 1:
      return MultiplyBlock<1>(task, weights, row, panel, first, depth);
    case 2:
      return MultiplyBlock<2>(task, weights, row, panel, first, depth);
    case 3:
      return MultiplyBlock<3>(task, weights, row, panel, first, depth);
    case 4:
      return MultiplyBlock<4>(task, weights, row, panel, first, depth);
    case 5:
      return MultiplyBlock<5>(task, weights, row, panel, first, depth);
    case 6:
      return MultiplyBlock<6>(task, weights, row, panel, first, depth);
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM
    case 7:
      return MultiplyBlock<7>(task, weights, row, panel, first, depth);
    default:
      return MultiplyBlock<8>(task, weights, row, panel, first, depth);
#else
    default:
      return;
#endif
  }
}

template <typename Stored>
HWY_INLINE void RunPanelTask(const PanelTask<Stored>& task) {
  const D d;
  // Groups of nearly the same size: a small last group would leave the multiply-add units idle.
  const size_t groups = (task.rows + kTileRows - 1) / kTileRows;
  const size_t width = PanelWidth();
  HWY_ALIGN float block[kDepthBlock * 2 * HWY_MAX_BYTES / sizeof(float)];
  for (size_t first = 0; first < task.in_features; first += kDepthBlock) {
    const size_t depth = std::min(kDepthBlock, task.in_features - first);
    for (size_t panel = task.first_panel; panel < task.last_panel; ++panel) {
      const Stored* weights = task.panels + (panel * task.in_features + first) * width;
      if (groups == 1) {
        MultiplyRows(task, weights, task.rows, 0, panel, first, depth);
        continue;
      }
      for (size_t i = 0; i < depth * width; i += hn::Lanes(d)) {
        hn::Store(LoadWeights(weights + i), d, block + i);
      }
      for (size_t group = 0; group < groups; ++group) {
        const size_t row = task.rows * group / groups;
        const size_t end = task.rows * (group + 1) / groups;
        MultiplyRows(task, block, end - row, row, panel, first, depth);
      }
    }
  }
}

void RunF32Panels(const PanelTask<float>& task) { RunPanelTask(task); }
void RunF16Panels(const PanelTask<hwy::float16_t>& task) { RunPanelTask(task); }

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(PanelWidth);
HWY_EXPORT(NarrowToF16);
HWY_EXPORT(RunF32Panels);
HWY_EXPORT(RunF16Panels);

namespace {

// Stored is float or hwy::float16_t.
template <typename Stored>
class PanelMatMul : public MatMul<float, float> {
 public:
  PanelMatMul(const LinearParameters& parameters, Activation activation)
      : in_features_(parameters.in_features),
        out_features_(parameters.out_features),
        width_(HWY_DYNAMIC_DISPATCH(PanelWidth)()),
        panel_count_((out_features_ + width_ - 1) / width_),
        gelu_(activation == Activation::kGelu),
        panels_(panel_count_ * width_ * in_features_),
        bias_(panel_count_ * width_) {
    std::fill_n(bias_.data(), bias_.size(), 0.0F);
    std::copy(parameters.bias.begin(), parameters.bias.end(), bias_.data());
    const size_t size = width_ * in_features_;  // of a panel
    ParallelFor(panel_count_, [&](size_t panel) {
      Stored* out = panels_.data() + panel * size;
      if constexpr (std::is_same_v<Stored, float>) {
        Pack(parameters.weight, panel, out);
      } else {
        AlignedBuffer<float> wide(size);
        Pack(parameters.weight, panel, wide.data());
        HWY_DYNAMIC_DISPATCH(NarrowToF16)(wide.data(), size, out);
      }
    });
  }

  void Run(MatrixView<const float> input, MatrixView<float> output) override {
    // Enough panels a task to reuse the rows' block in the L2 cache, few enough for every thread
    // to have some.
    constexpr size_t kPanelsPerTask = 4;
    const size_t tasks = (panel_count_ + kPanelsPerTask - 1) / kPanelsPerTask;
    ParallelFor(tasks, [&](size_t i) {
      RunTask(PanelTask<Stored>{.input = input.data,
                                .rows = input.rows,
                                .in_features = in_features_,
                                .panels = panels_.data(),
                                .bias = bias_.data(),
                                .first_panel = i * kPanelsPerTask,
                                .last_panel = std::min((i + 1) * kPanelsPerTask, panel_count_),
                                .output = output.data,
                                .out_features = out_features_,
                                .gelu = gelu_});
    });
  }

 private:
  void Pack(std::span<const float> weight, size_t panel, float* out) const {
    for (size_t k = 0; k < width_; ++k) {
      const size_t feature = panel * width_ + k;
      for (size_t i = 0; i < in_features_; ++i) {
        out[i * width_ + k] = feature < out_features_ ? weight[feature * in_features_ + i] : 0.0F;
      }
    }
  }

  static void RunTask(const PanelTask<float>& task) { HWY_DYNAMIC_DISPATCH(RunF32Panels)(task); }
  static void RunTask(const PanelTask<hwy::float16_t>& task) {
    HWY_DYNAMIC_DISPATCH(RunF16Panels)(task);
  }

  const size_t in_features_;
  const size_t out_features_;
  const size_t width_;
  const size_t panel_count_;
  const bool gelu_;
  AlignedBuffer<Stored> panels_;
  AlignedBuffer<float> bias_;
};

}  // namespace

std::unique_ptr<MatMul<float, float>> PackPanelMatMul(const LinearParameters& parameters,
                                                      Activation activation) {
  return std::make_unique<PanelMatMul<float>>(parameters, activation);
}

std::unique_ptr<MatMul<float, float>> PackF16PanelMatMul(const LinearParameters& parameters,
                                                         Activation activation) {
  return std::make_unique<PanelMatMul<hwy::float16_t>>(parameters, activation);
}

}  // namespace embedding
#endif  // HWY_ONCE
