// Fields that families' config.json have in common. Errors name the file, the field and its value.
//
// Names may have several forms, divided by '|', of which the first that is there is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_value.h"
#include "base/result.h"
#include "model/architecture.h"

namespace embedding {

// Limits that no real model comes near; beyond them a number is a mistake, and products of them
// could overflow.
inline constexpr int64_t kMaxWidth = 65536;
inline constexpr int64_t kMaxLayers = 1000;
inline constexpr int64_t kMaxPositions = int64_t{1} << 24;

// That form of a name that the config has.
std::string_view FieldName(const JsonValue& config, std::string_view name);

// A number of at least 1, as a size.
Result<size_t> ReadSize(const JsonValue& config, std::string_view name, int64_t max,
                        std::optional<int64_t> fallback = {});

// A number of at least 0, as a size: of a table that there may not be.
Result<size_t> ReadCount(const JsonValue& config, std::string_view name, int64_t max,
                         int64_t fallback);

// Encoder::max_tokens of one without a table of positions.
Result<size_t> ReadTokens(const JsonValue& config, std::string_view name, int64_t fallback);

// An epsilon, in (0, 1].
Result<float> ReadEpsilon(const JsonValue& config, std::string_view name, double fallback);

// Adapters::scale: lora_alpha / rank.
Result<float> ReadAdapterScale(const JsonValue& config, size_t rank,
                               std::optional<double> fallback = {});

// An activation by transformers' names.
Result<Activation> ReadActivation(const JsonValue& config, std::string_view name,
                                  const std::string& fallback);
Result<Activation> ActivationOfName(const JsonValue& config, std::string_view field,
                                    std::string_view name);

// The padding token's id.
Result<int32_t> ReadPaddingId(const JsonValue& config, size_t vocab_size, int64_t fallback);

// Positions::count of a table that is indexed from `positions.first` on, and what follows from it.
Status ReadPositionCount(const JsonValue& config, std::string_view name, Encoder& encoder);

// Refuses a value of a field that is there, and not null, unless it is the expected one: what it
// asks for would make the model compute something else.
Status ExpectFlag(const JsonValue& config, std::string_view name, bool expected);
Status ExpectName(const JsonValue& config, std::string_view name, std::string_view expected);
// The flags that make an encoder a decoder.
Status ExpectEncoder(const JsonValue& config);

// What a family calls its sizes. Those that are empty are not read: `kv_heads` and `head_dim` are
// then, and where a config has null, heads and hidden_size / heads; where it does not have the
// field, too, unless there is a default.
struct SizeNames {
  std::string_view hidden_size = "hidden_size";
  std::string_view vocab_size = "vocab_size";
  std::string_view layers = "num_hidden_layers";
  std::string_view heads = "num_attention_heads";
  std::string_view kv_heads = {};
  std::string_view head_dim = {};
  std::string_view width = "intermediate_size";
  std::optional<int64_t> default_kv_heads = {};
  std::optional<int64_t> default_head_dim = {};
};

// An encoder of these sizes: layers that have weights of their own, biases and no norms yet,
// scores divided by sqrt(head_dim), embeddings as wide as the layers.
Result<Encoder> ReadSizes(const JsonValue& config, const SizeNames& names = {});

}  // namespace embedding
