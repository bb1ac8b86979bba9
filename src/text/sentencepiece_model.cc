#include "text/sentencepiece_model.h"

#include <cmath>
#include <string>

#include "base/utf8.h"
#include "text/protobuf_reader.h"
#include "text/vocabulary.h"

namespace embedding {
namespace {

using Field = ProtobufReader::Field;
using Wire = ProtobufReader::Wire;
using Piece = SentencePieceModel::Piece;

// The numbers of sentencepiece_model.proto: of a ModelProto, ...
constexpr uint32_t kPieces = 1;
constexpr uint32_t kTrainerSpec = 2;
constexpr uint32_t kNormalizerSpec = 3;
// ... of a SentencePiece, ...
constexpr uint32_t kText = 1;
constexpr uint32_t kScore = 2;
constexpr uint32_t kKind = 3;
// ... of a TrainerSpec, ...
constexpr uint32_t kModelType = 3;
constexpr uint32_t kByteFallback = 35;
constexpr uint32_t kUnkId = 40;
constexpr uint32_t kBosId = 41;
constexpr uint32_t kEosId = 42;
constexpr uint32_t kUnkPiece = 45;
constexpr uint32_t kBosPiece = 46;
constexpr uint32_t kEosPiece = 47;
// ... and of a NormalizerSpec.
constexpr uint32_t kPrecompiledCharsmap = 2;

Error Unusable(const std::string& problem) { return {ErrorCode::kModelLoad, problem, ""}; }

// A number of an enumeration that has those from 1 to `last`.
template <typename Enum>
Result<Enum> AsEnum(const Field& field, Enum last, const std::string& name) {
  if (field.value < 1 || field.value > static_cast<uint64_t>(last)) {
    return Unusable(name + " is " + std::to_string(field.value) + ", which is not known here");
  }
  return static_cast<Enum>(field.value);
}

Result<std::string_view> AsText(const Field& field, const std::string& name) {
  if (FindInvalidUtf8(field.bytes) != std::string_view::npos) {
    return Unusable(name + " is not UTF-8");
  }
  return field.bytes;
}

Result<Piece> ReadPiece(std::string_view message, size_t id) {
  const std::string name = "piece " + std::to_string(id);
  ProtobufReader reader(message);
  Piece piece;
  while (!reader.done()) {
    ASSIGN_OR_RETURN(const Field field, reader.Next());
    if (field.Is(kText, Wire::kBytes)) {
      ASSIGN_OR_RETURN(piece.text, AsText(field, name));
    } else if (field.Is(kScore, Wire::kFixed32)) {
      piece.score = field.AsFloat();
    } else if (field.Is(kKind, Wire::kVarint)) {
      ASSIGN_OR_RETURN(piece.kind, AsEnum(field, Piece::Kind::kByte, name + "'s type"));
    }
  }
  if (piece.text.empty()) return Unusable(name + " has no text");
  if (!std::isfinite(piece.score)) return Unusable(name + " has a score that is no number");
  return piece;
}

Status ReadTrainerSpec(std::string_view message, SentencePieceModel& model) {
  ProtobufReader reader(message);
  while (!reader.done()) {
    ASSIGN_OR_RETURN(const Field field, reader.Next());
    if (field.Is(kModelType, Wire::kVarint)) {
      ASSIGN_OR_RETURN(model.algorithm,
                       AsEnum(field, SentencePieceModel::Algorithm::kChar, "model_type"));
    } else if (field.Is(kByteFallback, Wire::kVarint)) {
      model.byte_fallback = field.value != 0;
    } else if (field.Is(kUnkId, Wire::kVarint)) {
      model.unk_id = field.AsInt32();
    } else if (field.Is(kBosId, Wire::kVarint)) {
      model.bos_id = field.AsInt32();
    } else if (field.Is(kEosId, Wire::kVarint)) {
      model.eos_id = field.AsInt32();
    } else if (field.Is(kUnkPiece, Wire::kBytes) && !field.bytes.empty()) {
      ASSIGN_OR_RETURN(model.unk_piece, AsText(field, "unk_piece"));
    } else if (field.Is(kBosPiece, Wire::kBytes) && !field.bytes.empty()) {
      ASSIGN_OR_RETURN(model.bos_piece, AsText(field, "bos_piece"));
    } else if (field.Is(kEosPiece, Wire::kBytes) && !field.bytes.empty()) {
      ASSIGN_OR_RETURN(model.eos_piece, AsText(field, "eos_piece"));
    }
  }
  return {};
}

Status ReadNormalizerSpec(std::string_view message, SentencePieceModel& model) {
  ProtobufReader reader(message);
  while (!reader.done()) {
    ASSIGN_OR_RETURN(const Field field, reader.Next());
    if (field.Is(kPrecompiledCharsmap, Wire::kBytes)) model.precompiled_charsmap = field.bytes;
  }
  return {};
}

Result<SentencePieceModel> ReadModel(std::string_view file) {
  ProtobufReader reader(file);
  SentencePieceModel model;
  while (!reader.done()) {
    ASSIGN_OR_RETURN(const Field field, reader.Next());
    if (field.Is(kPieces, Wire::kBytes)) {
      if (model.pieces.size() > Vocabulary::kMaxId) {
        return Unusable("it holds more than " + std::to_string(model.pieces.size()) + " pieces");
      }
      ASSIGN_OR_RETURN(model.pieces.emplace_back(), ReadPiece(field.bytes, model.pieces.size()));
    } else if (field.Is(kTrainerSpec, Wire::kBytes)) {
      RETURN_IF_ERROR(ReadTrainerSpec(field.bytes, model));
    } else if (field.Is(kNormalizerSpec, Wire::kBytes)) {
      RETURN_IF_ERROR(ReadNormalizerSpec(field.bytes, model));
    }
  }
  if (model.pieces.empty()) return Unusable("it holds no pieces");
  return model;
}

}  // namespace

Result<SentencePieceModel> ReadSentencePieceModel(std::string_view file) {
  Result<SentencePieceModel> model = ReadModel(file);
  if (model.ok()) return model;
  return Unusable("is not a SentencePiece model that can be used: " + model.error().message);
}

}  // namespace embedding
