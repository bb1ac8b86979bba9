#include "backends/cpu/cpu_encoder.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "backends/cpu/add_bias.h"
#include "backends/cpu/attention.h"
#include "backends/cpu/parallel.h"
#include "backends/positions.h"

namespace embedding {

CpuEncoder::CpuEncoder(const Encoder& encoder, EncoderWeights weights, EncoderTypes types,
                       ThreadTeam& team)
    : encoder_(encoder),
      team_(team),
      weights_(std::move(weights)),
      between_(types.between),
      context_(types.between, types.weight, Handover::Writer::kRows),
      embedded_(types.weight),
      normalised_(types.weight),
      intermediate_(types.between, types.weight,
                    encoder.adapters ? Handover::Writer::kRows : Handover::Writer::kProduct),
      mixture_(types) {
  if (encoder.disentangled) disentangled_.emplace(*encoder.disentangled);
  if (encoder_.layer_inputs) {
    layer_inputs_.emplace(*encoder_.layer_inputs, encoder_.hidden_size, types.weight);
  }
  if (encoder_.convolution) {
    convolution_.emplace(*encoder_.convolution, encoder_.hidden_size, types.weight);
  }
  std::vector<size_t> table_of_layer;
  for (const Layer& layer : encoder_.layers) {
    const std::optional<Rope>& rope = layer.attention.rope;
    const auto known = std::ranges::find_if(
        rotary_tables_, [&](const RotaryTable& table) { return table.rope() == rope; });
    table_of_layer.push_back(static_cast<size_t>(known - rotary_tables_.begin()));
    if (rope && known == rotary_tables_.end()) rotary_tables_.emplace_back(*rope);
  }
  for (size_t i = 0; i < encoder_.layers.size(); ++i) {
    const bool rotates = encoder_.layers[i].attention.rope.has_value();
    rotary_.push_back(rotates ? &rotary_tables_[table_of_layer[i]] : nullptr);
  }
}

Result<CpuEncoder> CpuEncoder::Load(const Encoder& encoder, const EncoderTensors& tensors,
                                    EncoderTypes types, ThreadTeam& team) {
  ASSIGN_OR_RETURN(EncoderWeights weights, PackEncoderWeights(encoder, tensors, types, team));
  return CpuEncoder(encoder, std::move(weights), types, team);
}

std::span<const float> CpuEncoder::Run(const Batch& batch, std::span<const TokenRange> wanted) {
  Reserve(batch);
  Embed(batch);
  if (convolution_) {
    convolution_->Run(*weights_.convolution, batch.offsets, hidden_.data(), kChunkRows, team_);
  }
  const size_t layers = encoder_.layers.size();
  size_t rows = layers == 0 ? Keep(batch, wanted) : batch.tokens();
  for (size_t i = 0; i < layers; ++i) {
    const bool is_last = i + 1 == layers;
    Attend(i, batch, is_last ? wanted : std::span<const TokenRange>());
    if (is_last) rows = Keep(batch, wanted);
    FeedForward(i, rows);
  }
  return hidden_.span().first(rows * encoder_.hidden_size);
}

void CpuEncoder::Reserve(const Batch& batch) {
  const size_t tokens = batch.tokens();
  const size_t chunk = std::min(kChunkRows, tokens);
  size_t widest = 0;
  bool has_experts = false;
  for (const Layer& layer : encoder_.layers) {
    widest = std::max(widest, layer.attention.qkv_width());
    has_experts |= layer.feed_forward.experts.has_value();
  }
  hidden_.Resize(tokens * encoder_.hidden_size);
  qkv_.Resize(tokens * widest * DTypeBytes(between_));
  normalised_.Resize(chunk, encoder_.hidden_size);
  if (weights_.projection) embedded_.Resize(chunk, encoder_.embedding_size);
  if (has_experts) routed_.Resize(chunk * encoder_.hidden_size);
  branch_.Resize(chunk * encoder_.hidden_size);

  adapted_.Begin(batch, chunk, encoder_.hidden_size);
  if (layer_inputs_) layer_inputs_->Reserve(tokens, chunk);
  if (weights_.position_embeddings) PlaceTokens(encoder_.positions, batch, positions_);
  places_.resize(tokens);
  size_t longest = 0;
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const uint32_t begin = batch.offsets[s];
    const uint32_t end = batch.offsets[s + 1];
    std::iota(places_.begin() + begin, places_.begin() + end, 0U);
    longest = std::max<size_t>(longest, end - begin);
  }
  for (RotaryTable& table : rotary_tables_) table.Reserve(longest);
  if (weights_.relative_bias) weights_.relative_bias->Reserve(longest);
  if (disentangled_) disentangled_->Reserve(longest);
}

const NormParameters* CpuEncoder::NormBefore(size_t i) const {
  const std::optional<NormParameters>& norm =
      i == encoder_.layers.size()
          ? weights_.final_norm
          : weights_.layers[encoder_.layers[i].weights].attention_norms.input;
  return norm ? &*norm : nullptr;
}

void CpuEncoder::HandOn(size_t row, float* hidden, const NormParameters* next) {
  const float* given = hidden;
  if (next != nullptr && weights_.final_norm && next == &*weights_.final_norm) {
    Normalize(*next, hidden, hidden);  // nothing comes after it
    return;
  }
  if (next != nullptr) {
    thread_local AlignedBuffer<float> normalised;
    normalised.Resize(encoder_.hidden_size);
    Normalize(*next, hidden, normalised.data());
    given = normalised.data();
  }
  normalised_.Set(row, given);
  if (adapted_.any()) std::copy_n(given, encoder_.hidden_size, adapted_.input(row));
}

void CpuEncoder::Attend(size_t i, const Batch& batch, std::span<const TokenRange> queries) {
  const Attention& attention = encoder_.layers[i].attention;
  ScoreTerms terms;
  if (weights_.relative_bias) terms.bias = weights_.relative_bias->view();
  if (disentangled_) {
    terms.positions = disentangled_->Compute(*weights_of(i).positions, attention, qkv_.data(),
                                             between_, batch.tokens());
  }
  context_.Resize(batch.tokens(), attention.width());
  const auto attend = [&]<typename T>(const T* qkv) {
    PackedAttention(team_, attention, terms, qkv, batch.offsets, queries,
                    static_cast<T*>(context_.data()), context_.Epilogue());
  };
  const void* const qkv = qkv_.data();
  if (between_ == DType::kF32) {
    attend(static_cast<const float*>(qkv));
  } else {
    attend(static_cast<const BFloat16*>(qkv));
  }
}

size_t CpuEncoder::Keep(const Batch& batch, std::span<const TokenRange> wanted) {
  const size_t size = encoder_.hidden_size;
  size_t rows = 0;
  for (size_t s = 0; s < batch.sequences(); ++s) {
    // No row is overwritten before it has moved, for none moves down.
    const size_t from = batch.offsets[s] + wanted[s].begin;
    if (from != rows) {
      std::copy_n(hidden_.data() + from * size, wanted[s].size() * size,
                  hidden_.data() + rows * size);
    }
    if (layer_inputs_) layer_inputs_->MoveFirst(from, rows, wanted[s].size());
    if (convolution_) convolution_->Move(from, rows, wanted[s].size());
    rows += wanted[s].size();
  }
  adapted_.Keep(batch, wanted);
  return rows;
}

void CpuEncoder::FeedForward(size_t i, size_t total_rows) {
  LayerWeights& layer = weights_of(i);
  const embedding::FeedForward& feed_forward = encoder_.layers[i].feed_forward;
  const size_t size = encoder_.hidden_size;
  const size_t width = feed_forward.width;
  const std::optional<NormParameters>& norm = layer.feed_forward_norms.input;
  intermediate_.Resize(std::min(kChunkRows, total_rows), width);
  for (size_t first = 0; first < total_rows; first += kChunkRows) {
    const size_t rows = std::min(kChunkRows, total_rows - first);
    const OutputView branch = {branch_.data(), rows, size};
    const LayerAdapters& adapters = layer.adapters;
    layer.attention_output->Run(
        context_.View(first, rows), branch,
        AddBranch({.norms = layer.attention_norms,
                   .next = norm ? &*norm : nullptr,
                   .first = first,
                   .adapters = adapters.attention_output ? &*adapters.attention_output : nullptr,
                   .source = &context_,
                   .source_first = first,
                   .source_width = encoder_.layers[i].attention.width()}));
    const bool convolves = i == 0 && convolution_;
    const bool is_end = !layer.inputs && !convolves;
    const RowEpilogue end = AddBranch({.norms = layer.feed_forward_norms,
                                       .next = is_end ? NormBefore(i + 1) : nullptr,
                                       .first = first,
                                       .adapters = adapters.output ? &*adapters.output : nullptr,
                                       .source = &intermediate_,
                                       .source_width = width,
                                       .scale = layer.inputs ? 1.0F : layer.output_scale});
    if (feed_forward.experts) {
      for (size_t row = 0; row < rows; ++row) {
        const float* const hidden = hidden_.data() + (first + row) * size;
        float* const to = routed_.data() + row * size;
        if (norm) {
          Normalize(*norm, hidden, to);
        } else {
          std::copy_n(hidden, size, to);
        }
      }
      mixture_.Run(feed_forward, layer, routed_.span().first(rows * size), size,
                   branch_.span().first(rows * size));
      end(0, rows);
    } else {
      FeedForwardWeights& weights = layer.feed_forward[0];
      weights.intermediate->Run(normalised_.View(0, rows), IntermediateOf(i, rows),
                                FinishIntermediate(i, first));
      weights.output->Run(intermediate_.View(0, rows), branch, end);
    }
    if (layer.inputs) {
      layer_inputs_->Run(*layer.inputs, first, normalised_.View(0, rows), branch,
                         AddBranch({.norms = layer.input_norms,
                                    .next = NormBefore(i + 1),
                                    .first = first,
                                    .scale = layer.output_scale}));
    }
    if (convolves) {
      std::copy_n(convolution_->Rows(first), rows * size, branch_.data());
      ParallelRanges(
          team_, rows, kMinRows,
          AddBranch(
              {.norms = weights_.convolution_norms, .next = NormBefore(i + 1), .first = first}));
    }
    Project(i + 1, first, rows);
  }
}

void CpuEncoder::Project(size_t i, size_t first, size_t rows) {
  if (i == encoder_.layers.size()) return;
  const LayerWeights& layer = weights_of(i);
  const Attention& attention = encoder_.layers[i].attention;
  const size_t size = attention.qkv_width();
  const auto pointer = [](const std::optional<NormParameters>& norm) {
    return norm ? &*norm : nullptr;
  };
  const HeadPreparation preparation = {pointer(layer.query_norm), pointer(layer.key_norm),
                                       pointer(layer.value_norm), rotary_[i]};
  RowEpilogue prepare;
  if (!preparation.does_nothing() || adapted_.any()) {
    prepare = [&, first](size_t begin, size_t end) {
      for (size_t row = first + begin; row < first + end; ++row) {
        uint8_t* const qkv = qkv_.data() + row * size * DTypeBytes(between_);
        if (adapted_.any()) AdaptHeads(layer, attention, first, row, qkv);
        if (between_ == DType::kF32) {
          PrepareHeads(attention, preparation, places_[row], reinterpret_cast<float*>(qkv));
        } else {
          PrepareHeads(attention, preparation, places_[row], reinterpret_cast<BFloat16*>(qkv));
        }
      }
    };
  }
  layer.qkv->Run(normalised_.View(0, rows),
                 {qkv_.data() + first * size * DTypeBytes(between_), rows, size}, prepare);
}

RowEpilogue CpuEncoder::AddBranch(const Branch& branch) {
  return [this, branch](size_t begin, size_t end) {
    const size_t size = encoder_.hidden_size;
    for (size_t row = begin; row < end; ++row) {
      float* const hidden = hidden_.data() + (branch.first + row) * size;
      float* const of_row = branch_.data() + row * size;
      const int32_t which = adapted_.any() ? adapted_.of(branch.first + row) : -1;
      if (which >= 0 && branch.adapters != nullptr) {
        const size_t at = (branch.source_first + row) * branch.source_width;
        const void* const source = branch.source->data();
        if (between_ == DType::kF32) {
          branch.adapters->AddTo(static_cast<size_t>(which), static_cast<const float*>(source) + at,
                                 of_row);
        } else {
          branch.adapters->AddTo(static_cast<size_t>(which),
                                 static_cast<const BFloat16*>(source) + at, of_row);
        }
      }
      if (branch.norms.branch) Normalize(*branch.norms.branch, of_row, of_row);
      if (branch.norms.output) {
        AddNormalize(*branch.norms.output, hidden, of_row);
      } else {
        AddRow(size, hidden, of_row);
      }
      if (branch.scale != 1) {
        for (size_t k = 0; k < size; ++k) hidden[k] *= branch.scale;
      }
      HandOn(row, hidden, branch.next);
    }
  };
}

}  // namespace embedding
