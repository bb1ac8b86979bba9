#include "backends/cpu/adapters.h"

#include <algorithm>

#include "weights/tensor_store.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/adapters.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace embedding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

float Dot(const float* HWY_RESTRICT a, const float* HWY_RESTRICT x, size_t size) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  // In several sums: each waits for the one before it.
  auto sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  size_t i = 0;
  for (; i + 4 * lanes <= size; i += 4 * lanes) {
    sum0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, x + i), sum0);
    sum1 = hn::MulAdd(hn::LoadU(d, a + i + lanes), hn::LoadU(d, x + i + lanes), sum1);
    sum2 = hn::MulAdd(hn::LoadU(d, a + i + 2 * lanes), hn::LoadU(d, x + i + 2 * lanes), sum2);
    sum3 = hn::MulAdd(hn::LoadU(d, a + i + 3 * lanes), hn::LoadU(d, x + i + 3 * lanes), sum3);
  }
  for (; i + lanes <= size; i += lanes) {
    sum0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, x + i), sum0);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
  for (; i < size; ++i) sum += a[i] * x[i];
  return sum;
}

// y += sum of factors[r] * b[r], rows of `size` numbers.
void AddScaledRows(const float* HWY_RESTRICT b, const float* factors, size_t rows, size_t size,
                   float* HWY_RESTRICT y) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    auto sum = hn::LoadU(d, y + i);
    for (size_t r = 0; r < rows; ++r) {
      sum = hn::MulAdd(hn::Set(d, factors[r]), hn::LoadU(d, b + r * size + i), sum);
    }
    hn::StoreU(sum, d, y + i);
  }
  for (; i < size; ++i) {
    for (size_t r = 0; r < rows; ++r) y[i] += factors[r] * b[r * size + i];
  }
}

void AddLowRank(const float* a, const float* b, size_t rank, size_t in_features,
                size_t out_features, const float* x, float* y) {
  constexpr size_t kRows = 4;  // whose results go to y together
  for (size_t first = 0; first < rank; first += kRows) {
    const size_t rows = rank - first < kRows ? rank - first : kRows;
    float factors[kRows];
    for (size_t r = 0; r < rows; ++r) {
      factors[r] = Dot(a + (first + r) * in_features, x, in_features);
    }
    AddScaledRows(b + first * out_features, factors, rows, out_features, y);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace embedding
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace embedding {

HWY_EXPORT(AddLowRank);

namespace {

thread_local AlignedBuffer<float> wide;  // a row of bf16

const float* Widen(const BFloat16* x, size_t size) {
  wide.Resize(size);
  for (size_t i = 0; i < size; ++i) wide[i] = static_cast<float>(x[i]);
  return wide.data();
}

}  // namespace

LinearAdapters::LinearAdapters(const AdapterTensors& tensors, const Adapters& adapters)
    : rank_(adapters.rank),
      in_features_(static_cast<size_t>(tensors.a.shape[2])),
      out_features_(static_cast<size_t>(tensors.b.shape[1])),
      a_(tensors.a.elements()),
      b_(tensors.b.elements()) {
  CopyToF32(tensors.a, a_.span());
  AlignedBuffer<float> b(tensors.b.elements());  // [count, out_features, rank]
  CopyToF32(tensors.b, b.span());
  for (size_t i = 0; i < adapters.count; ++i) {
    const size_t first = i * out_features_ * rank_;
    for (size_t o = 0; o < out_features_; ++o) {
      for (size_t r = 0; r < rank_; ++r) {
        b_[first + r * out_features_ + o] = adapters.scale * b[first + o * rank_ + r];
      }
    }
  }
}

void LinearAdapters::AddTo(size_t which, const float* x, float* y) const {
  const size_t first = which * rank_;
  HWY_DYNAMIC_DISPATCH(AddLowRank)
  (a_.data() + first * in_features_, b_.data() + first * out_features_, rank_, in_features_,
   out_features_, x, y);
}

void LinearAdapters::AddTo(size_t which, const BFloat16* x, float* y) const {
  AddTo(which, Widen(x, in_features_), y);
}

void LinearAdapters::AddTo(size_t which, const float* x, BFloat16* y) const {
  Widen(y, out_features_);
  AddTo(which, x, wide.data());
  for (size_t o = 0; o < out_features_; ++o) y[o] = static_cast<BFloat16>(wide[o]);
}

void AddTableAdapter(const AdapterTensors& tensors, float scale, size_t which, size_t row,
                     float* out, size_t columns) {
  const auto rows = static_cast<size_t>(tensors.a.shape[1]);
  const auto rank = static_cast<size_t>(tensors.a.shape[2]);
  thread_local AlignedBuffer<float> numbers;
  numbers.Resize(rank + columns);
  const std::span<float> a = numbers.span().first(rank);
  const std::span<float> b = numbers.span().subspan(rank);
  const auto slice = [](const TensorView& tensor, size_t first, size_t size) {
    const size_t bytes = DTypeBytes(tensor.dtype);
    return TensorView{.dtype = tensor.dtype,
                      .shape = {static_cast<int64_t>(size)},
                      .bytes = tensor.bytes.subspan(first * bytes, size * bytes),
                      .copy = nullptr};
  };
  CopyToF32(slice(tensors.a, (which * rows + row) * rank, rank), a);
  for (size_t r = 0; r < rank; ++r) {
    CopyToF32(slice(tensors.b, (which * rank + r) * columns, columns), b);
    for (size_t i = 0; i < columns; ++i) out[i] += scale * a[r] * b[i];
  }
}

void AdaptedRows::Begin(const Batch& batch, size_t chunk, size_t size) {
  any_ = std::any_of(batch.adapters.begin(), batch.adapters.end(),
                     [](int32_t adapter) { return adapter >= 0; });
  if (!any_) return;
  size_ = size;
  adapters_.resize(batch.tokens());
  for (size_t s = 0; s < batch.sequences(); ++s) {
    std::fill(adapters_.begin() + batch.offsets[s], adapters_.begin() + batch.offsets[s + 1],
              batch.adapters[s]);
  }
  inputs_.Resize(chunk * size);
}

void AdaptedRows::Keep(const Batch& batch, std::span<const TokenRange> wanted) {
  if (!any_) return;
  adapters_.clear();
  for (size_t s = 0; s < batch.sequences(); ++s) {
    adapters_.insert(adapters_.end(), wanted[s].size(), batch.adapters[s]);
  }
}

}  // namespace embedding
#endif  // HWY_ONCE
