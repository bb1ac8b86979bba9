// An encoder's tensors by its family's names.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "model/architecture.h"
#include "model/families.h"
#include "model/tensor_reader.h"
#include "model/tensors.h"
#include "weights/tensor_store.h"

namespace embedding {

// What a checkpoint has below the prefix of the encoder: none, one of Family::prefixes, and those
// of what the model may have been part of ("0.auto_model.bert").
TensorReader EncoderReader(const TensorStore& weights, const Family& family,
                           const std::optional<Adapters>& adapters);

// Errors: kModelLoad naming file and tensor, and what was expected. Tensors that nobody asks for
// are left alone.
Result<EncoderTensors> ReadEncoderTensors(const TensorReader& reader,
                                          const EncoderTensorNames& names, const Encoder& encoder);

}  // namespace embedding
