#include "backends/f16_range.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace embedding {
namespace {

Result<bool> IsFinite(Session& session, const Encoder& encoder) {
  const size_t tokens = std::min<size_t>({128, encoder.max_tokens, encoder.vocab_size});
  std::vector<int32_t> ids;
  for (size_t i = 0; i < tokens; ++i)
    ids.push_back(static_cast<int32_t>(i * encoder.vocab_size / tokens));
  const std::vector<int32_t> types(tokens, 0);
  const std::vector<uint32_t> offsets = {0, static_cast<uint32_t>(tokens)};
  const std::vector<Outputs> wanted = {{.dense = false, .token_embeddings = true}};
  BatchOutputs outputs;
  RETURN_IF_ERROR(session.Run({ids, types, offsets, wanted}, outputs));
  return std::ranges::all_of(outputs[0].token_embeddings, [](float x) { return std::isfinite(x); });
}

}  // namespace

Result<std::unique_ptr<Session>> LoadInF16OrWider(
    const Architecture& architecture, ComputeType type,
    const std::function<Result<std::unique_ptr<Session>>(ComputeType)>& load) {
  const bool is_free = type == ComputeType::kAuto;
  ASSIGN_OR_RETURN(std::unique_ptr<Session> session, load(is_free ? ComputeType::kF16 : type));
  if (!is_free && type != ComputeType::kF16) return session;
  ASSIGN_OR_RETURN(const bool is_finite, IsFinite(*session, architecture.encoder));
  if (is_finite) return session;
  if (!is_free) {
    return Error{ErrorCode::kModelLoad,
                 "the model computes numbers beyond f16's; choose the dtype bf16, f32 or auto",
                 {}};
  }
  session.reset();  // there may be no room for both
  return load(ComputeType::kBF16);
}

}  // namespace embedding
