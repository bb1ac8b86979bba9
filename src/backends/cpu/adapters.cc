#include "backends/cpu/adapters.h"

#include <algorithm>

#include "weights/tensor_store.h"

namespace embedding {
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
  for (size_t r = 0; r < rank_; ++r) {
    const float* const a = a_.data() + (which * rank_ + r) * in_features_;
    const float* const b = b_.data() + (which * rank_ + r) * out_features_;
    // In several sums, as the compiler may not make of one.
    constexpr size_t kSums = 8;
    float sums[kSums] = {};
    size_t i = 0;
    for (; i + kSums <= in_features_; i += kSums) {
      for (size_t k = 0; k < kSums; ++k) sums[k] += a[i + k] * x[i + k];
    }
    for (; i < in_features_; ++i) sums[0] += a[i] * x[i];
    float sum = 0;
    for (const float each : sums) sum += each;
    for (size_t o = 0; o < out_features_; ++o) y[o] += sum * b[o];
  }
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
