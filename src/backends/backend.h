// Backend: the seam between the engine and what computes. A packed batch of token ids goes in,
// hidden states come out; dense layers for heads are made and applied by the same device.
//
// A batch is packed: the tokens of all sequences stand one after another without padding, and
// `offsets` says where each sequence begins. A sequence's result does not depend on its neighbours.
//
// Thread-safety: none. One thread, the scheduler's, owns a backend and calls it; the backend uses
// as many threads inside a call as it was made with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "model/model_spec.h"
#include "weights/tensor_store.h"

namespace embedding {

// What the encoder's matrix products multiply. Sums of f32 and bf16, LayerNorm and softmax are f32
// with all of them.
enum class ComputeType {
  kAuto,  // bf16 where the device multiplies it natively, else f32
  kF32,
  kBF16,
  kF16,   // weights; what they multiply is f32. For machines where reading weights costs the time
  kInt8,  // 8-bit integers, see cpu/activations.h, cpu/int8_matmul.h; between the products as with
          // kAuto
};

struct PackedBatch {
  std::span<const int32_t> input_ids;       // [tokens]
  std::span<const int32_t> token_type_ids;  // [tokens]
  std::span<const uint32_t> offsets;        // [sequences + 1], from 0 to tokens, ascending
  // Asks for the hidden states of each sequence's first token alone, which spares most of the last
  // layer. No sequence may be empty then.
  bool first_tokens_only = false;

  size_t tokens() const { return input_ids.size(); }
  size_t sequences() const { return offsets.size() - 1; }
};

// activation(input * weight^T + bias), as torch.nn.Linear with an activation behind it.
class LinearLayer {
 public:
  virtual ~LinearLayer() = default;
  // input is [rows, in_features], output [rows, out_features]; they must not overlap.
  virtual void Apply(size_t rows, std::span<const float> input, std::span<float> output) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  // The encoder's last hidden states, f32, valid until the next call: [tokens, hidden_size], or
  // [sequences, hidden_size] with first_tokens_only.
  // Ids must lie in [0, vocab_size), types in [0, type_vocab_size), and sequences must not be
  // longer than the positions of the model; the caller has checked that. Costs memory linear in
  // tokens. Errors: kInternal when the device fails; the backend stays usable.
  virtual Result<std::span<const float>> Encode(const PackedBatch& batch) = 0;

  // weight is [out_features, in_features], bias [out_features] or nullptr; copied, not kept.
  virtual Result<std::unique_ptr<LinearLayer>> MakeLinear(const TensorView& weight,
                                                          const TensorView* bias,
                                                          Activation activation) = 0;

  virtual std::string_view device() const = 0;  // "cpu"
  virtual std::string_view dtype() const = 0;   // of the matrix products: "f32"
};

}  // namespace embedding
