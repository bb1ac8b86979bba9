#include "model/families/rope.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "model/families/config_fields.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

Result<double> ReadPositive(const JsonValue& object, std::string_view name,
                            std::optional<double> fallback = {}) {
  ASSIGN_OR_RETURN(const double value, object.Number(name, fallback));
  if (!(value > 0) || !std::isfinite(value)) return object.Wrong(name, "a number above 0");
  return value;
}

// What one set of parameters is about.
struct Basis {
  double theta = 0;
  size_t rotated = 0;  // numbers of a head, even
};

// 1 / theta^(2i / rotated) for each pair.
std::vector<float> Frequencies(double theta, size_t rotated) {
  std::vector<float> frequencies(rotated / 2);
  const auto base = static_cast<float>(theta);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(rotated);
    // In double, which rounds to what a correctly rounded powf gives.
    const double power = std::pow(static_cast<double>(base), static_cast<double>(exponent));
    frequencies[i] = 1.0F / static_cast<float>(power);
  }
  return frequencies;
}

// The length of texts before the frequencies were scaled.
Result<double> ReadOriginalPositions(const JsonValue& config, const JsonValue& parameters) {
  constexpr std::string_view kName = "original_max_position_embeddings";
  if (config.Has(kName)) return ReadPositive(config, kName);
  if (parameters.Has(kName)) return ReadPositive(parameters, kName);
  return ReadPositive(config, "max_position_embeddings");
}

Result<Rope> Linear(const JsonValue& parameters, const Basis& basis) {
  ASSIGN_OR_RETURN(const double factor, ReadPositive(parameters, "factor"));
  Rope rope{.frequencies = Frequencies(basis.theta, basis.rotated)};
  for (float& frequency : rope.frequencies) frequency /= static_cast<float>(factor);
  return rope;
}

Result<Rope> Ntk(const JsonValue& parameters, const Basis& basis) {
  ASSIGN_OR_RETURN(const double factor, ReadPositive(parameters, "factor"));
  if (parameters.Has("mixed_b")) {
    return ModelError("{}: mixed_b is not supported", parameters.place());
  }
  if (factor <= 1) return Rope{.frequencies = Frequencies(basis.theta, basis.rotated)};
  Rope rope{.frequencies = Frequencies(basis.theta * factor, basis.rotated)};
  const auto divisor = static_cast<float>(std::pow(factor, 2 / static_cast<double>(basis.rotated)));
  for (float& frequency : rope.frequencies) frequency /= divisor;
  return rope;
}

// Long waves are stretched, short ones left alone, and those between blended.
Result<Rope> Llama3(const JsonValue& config, const JsonValue& parameters, const Basis& basis) {
  ASSIGN_OR_RETURN(const double factor, ReadPositive(parameters, "factor"));
  ASSIGN_OR_RETURN(const double low, ReadPositive(parameters, "low_freq_factor"));
  ASSIGN_OR_RETURN(const double high, ReadPositive(parameters, "high_freq_factor"));
  ASSIGN_OR_RETURN(const double original, ReadOriginalPositions(config, parameters));
  Rope rope{.frequencies = Frequencies(basis.theta, basis.rotated)};
  const auto divisor = static_cast<float>(factor);
  for (float& frequency : rope.frequencies) {
    const float wave = static_cast<float>(2 * std::numbers::pi) / frequency;
    if (wave > static_cast<float>(original / low)) {
      frequency /= divisor;
    } else if (!(wave < static_cast<float>(original / high))) {
      const float smooth = (static_cast<float>(original) / wave - static_cast<float>(low)) /
                           static_cast<float>(high - low);
      frequency = (1 - smooth) * frequency / divisor + smooth * frequency;
    }
  }
  return rope;
}

double YarnScale(double factor, double mscale) {
  return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1;
}

// The factor of sines and cosines.
Result<double> ReadYarnFactor(const JsonValue& parameters, double factor) {
  if (parameters.Has("attention_factor")) return ReadPositive(parameters, "attention_factor");
  ASSIGN_OR_RETURN(const double mscale, parameters.Number("mscale", 0));
  ASSIGN_OR_RETURN(const double mscale_all_dim, parameters.Number("mscale_all_dim", 0));
  if (mscale == 0 || mscale_all_dim == 0) return YarnScale(factor, 1);
  return YarnScale(factor, mscale) / YarnScale(factor, mscale_all_dim);
}

Result<Rope> Yarn(const JsonValue& config, const JsonValue& parameters, const Basis& basis) {
  ASSIGN_OR_RETURN(const double original, ReadOriginalPositions(config, parameters));
  std::optional<double> ratio;
  if (!parameters.Has("factor")) {
    ASSIGN_OR_RETURN(const double positions, ReadPositive(config, "max_position_embeddings"));
    ratio = positions / original;
  }
  ASSIGN_OR_RETURN(const double factor, ReadPositive(parameters, "factor", ratio));
  ASSIGN_OR_RETURN(const double fast, ReadPositive(parameters, "beta_fast", 32));
  ASSIGN_OR_RETURN(const double slow, ReadPositive(parameters, "beta_slow", 1));
  ASSIGN_OR_RETURN(const bool truncate, parameters.Bool("truncate", true));
  ASSIGN_OR_RETURN(const double attention_factor, ReadYarnFactor(parameters, factor));
  if (basis.theta <= 1) {  // of which the logarithm divides
    return ModelError("{}: rope_theta {} is not supported with the type \"yarn\"",
                      parameters.place(), basis.theta);
  }
  // The pair that turns so often within the original length.
  const auto dimension = static_cast<double>(basis.rotated);
  const auto pair_of = [&](double rotations) {
    return dimension * std::log(original / (rotations * 2 * std::numbers::pi)) /
           (2 * std::log(basis.theta));
  };
  double low = pair_of(fast);
  double high = pair_of(slow);
  if (truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dimension - 1);
  if (low == high) high += 0.001;
  Rope rope{.frequencies = Frequencies(basis.theta, basis.rotated),
            .factor = static_cast<float>(attention_factor)};
  for (size_t i = 0; i < rope.frequencies.size(); ++i) {
    const float ramp = std::clamp(
        (static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low), 0.0F,
        1.0F);
    const float extrapolated = rope.frequencies[i];
    const float interpolated = 1.0F / (static_cast<float>(factor) / extrapolated);
    const float kept = 1 - ramp;
    rope.frequencies[i] = interpolated * (1 - kept) + extrapolated * kept;
  }
  return rope;
}

// The parameters that count, and where there are none an empty object.
Result<JsonValue> FindParameters(const JsonValue& config, const RopeFields& fields) {
  const std::string_view layer_type = fields.layer_type;
  for (const std::string_view name : {"rope_scaling", "rope_parameters"}) {
    const std::optional<JsonValue> found = config.Find(name);
    if (!found) continue;
    RETURN_IF_ERROR(found->ExpectObject());
    if (found->Fields().empty()) continue;
    if (layer_type.empty()) return *found;
    const std::optional<JsonValue> nested = found->Find(layer_type);
    if (nested) {
      RETURN_IF_ERROR(nested->ExpectObject());
      return *nested;
    }
    // Parameters that are for all types of layers, unless some have theirs.
    if (fields.of_type_alone) continue;
    if (found->Has("rope_type") || found->Has("type") || found->Has("rope_theta")) return *found;
  }
  return JsonValue::EmptyObject(config.place());
}

// The share of a head's numbers that are rotated.
Result<double> ReadShare(const JsonValue& config, const JsonValue& parameters,
                         const RopeFields& fields, bool is_scaled) {
  std::string_view name = fields.share;
  double share = 1;
  if (!name.empty()) {
    ASSIGN_OR_RETURN(share, ReadPositive(config, name, share));
  }
  if (is_scaled) {
    name = "partial_rotary_factor";
    ASSIGN_OR_RETURN(share, ReadPositive(config, name, share));
    ASSIGN_OR_RETURN(share, ReadPositive(parameters, name, share));
  }
  if (share > 1) return config.Fail(fmt::format("has {} {}, more than 1", name, share));
  return share;
}

Result<Basis> ReadBasis(const JsonValue& config, const JsonValue& parameters,
                        const RopeFields& fields, bool is_scaled) {
  Basis basis;
  const std::string_view theta = FieldName(config, fields.theta);
  ASSIGN_OR_RETURN(basis.theta, ReadPositive(config, theta, fields.default_theta));
  ASSIGN_OR_RETURN(basis.theta, ReadPositive(parameters, "rope_theta", basis.theta));
  ASSIGN_OR_RETURN(const double share, ReadShare(config, parameters, fields, is_scaled));
  basis.rotated = static_cast<size_t>(static_cast<double>(fields.head_dim) * share);
  if (basis.rotated == 0 || basis.rotated % 2 != 0) {
    return ModelError(
        "{}: rotary positions need an even number of a head's numbers, but {} of {} "
        "would be rotated",
        config.place(), basis.rotated, fields.head_dim);
  }
  return basis;
}

}  // namespace

Result<Rope> ReadRope(const JsonValue& config, const RopeFields& fields) {
  ASSIGN_OR_RETURN(const JsonValue parameters, FindParameters(config, fields));
  const std::string_view type_name = parameters.Has("rope_type") ? "rope_type" : "type";
  ASSIGN_OR_RETURN(const std::string type, parameters.String(type_name, "default"));
  ASSIGN_OR_RETURN(const Basis basis, ReadBasis(config, parameters, fields, type != "default"));
  Result<Rope> rope = Rope();
  if (type == "default") {
    rope->frequencies = Frequencies(basis.theta, basis.rotated);
  } else if (type == "linear") {
    rope = Linear(parameters, basis);
  } else if (type == "ntk") {
    rope = Ntk(parameters, basis);
  } else if (type == "llama3") {
    rope = Llama3(config, parameters, basis);
  } else if (type == "yarn") {
    rope = Yarn(config, parameters, basis);
  } else {
    return ModelError(
        "{}: {} {} is not supported; supported are \"default\", \"linear\", \"ntk\", \"llama3\" "
        "and \"yarn\"",
        parameters.place(), type_name, Quoted(type));
  }
  RETURN_IF_ERROR(rope);
  const bool finite = std::ranges::all_of(
      rope->frequencies, [](float f) { return f >= 0 && f <= std::numeric_limits<float>::max(); });
  if (!finite || !std::isfinite(rope->factor)) {
    return ModelError("{}: the frequencies of its rotary positions are not finite numbers",
                      config.place());
  }
  return rope;
}

}  // namespace embedding
