#include "text/sentencepiece_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "test_data.h"
#include "text/protobuf.h"
#include "text/tokenizers.h"

namespace embedding {
namespace {

using protobuf::Bytes;
using protobuf::Float;
using protobuf::Number;
using protobuf::Piece;
using protobuf::Tag;
using protobuf::Varint;
using testing::AllOf;
using testing::HasSubstr;
using Kind = SentencePieceModel::Piece::Kind;
using Algorithm = SentencePieceModel::Algorithm;

std::string ErrorOf(std::string_view file) {
  const auto model = ReadSentencePieceModel(file);
  if (model.ok()) return "";
  EXPECT_EQ(model.error().code, ErrorCode::kModelLoad);
  EXPECT_THAT(model.error().message, HasSubstr("is not a SentencePiece model"));
  return model.error().message;
}

// The trainers arguments are in tests/data/make_vocabularies.py.
TEST(SentencePieceModel, ReadsWhatTheLibraryTrains) {
  const std::string unigram = ReadWhole(TestData("vocabularies/albert/spiece.model"));
  const auto albert = ReadSentencePieceModel(unigram);
  ASSERT_TRUE(albert.ok()) << albert.error().message;
  EXPECT_EQ(albert->algorithm, Algorithm::kUnigram);
  EXPECT_EQ(albert->pieces.size(), 900U);
  EXPECT_EQ(albert->pieces[0].text, "<pad>");
  EXPECT_EQ(albert->pieces[0].kind, Kind::kControl);
  EXPECT_EQ(albert->pieces[1].kind, Kind::kUnknown);
  EXPECT_EQ(albert->pieces[5].text, "(");
  EXPECT_EQ(albert->pieces[5].kind, Kind::kUserDefined);
  EXPECT_LT(albert->pieces[100].score, -3.0F);
  EXPECT_EQ(albert->pieces[100].kind, Kind::kNormal);
  EXPECT_EQ(albert->unk_id, 1);
  EXPECT_EQ(albert->bos_id, -1);
  EXPECT_FALSE(albert->byte_fallback);
  EXPECT_EQ(albert->precompiled_charsmap.size(), 1052U);

  const std::string bpe = ReadWhole(TestData("vocabularies/gemma/tokenizer.model"));
  const auto gemma = ReadSentencePieceModel(bpe);
  ASSERT_TRUE(gemma.ok()) << gemma.error().message;
  EXPECT_EQ(gemma->algorithm, Algorithm::kBpe);
  EXPECT_TRUE(gemma->byte_fallback);
  EXPECT_EQ(gemma->bos_piece, "<bos>");
  EXPECT_EQ(gemma->eos_piece, "<eos>");
  EXPECT_EQ(gemma->unk_piece, "<unk>");
  EXPECT_EQ(gemma->bos_id, 2);
  EXPECT_EQ(gemma->eos_id, 1);
  EXPECT_EQ(gemma->unk_id, 3);
  EXPECT_EQ(gemma->pieces[11].text, "<0x00>");
  EXPECT_EQ(gemma->pieces[11].kind, Kind::kByte);
  EXPECT_TRUE(gemma->precompiled_charsmap.empty());
}

TEST(SentencePieceModel, TakesTheLastOfAFieldAndPassesOverOthers) {
  const std::string other = Tag(900, 1) + std::string(8, 'x') + Number(901, 5) + Bytes(4, "self");
  const std::string piece = Bytes(1, "first") + other + Bytes(1, "a") + Float(2, 1) + Float(2, -2);
  const std::string file = other + Bytes(1, piece) + Bytes(2, Number(3, 1)) +
                           Bytes(2, Number(3, 2) + Number(40, UINT64_MAX));
  const auto model = ReadSentencePieceModel(file);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->pieces.front().text, "a");
  EXPECT_EQ(model->pieces.front().score, -2.0F);
  EXPECT_EQ(model->algorithm, Algorithm::kBpe);
  EXPECT_EQ(model->unk_id, -1);
}

TEST(SentencePieceModel, RefusesWhatIsCutShort) {
  const std::string file = ReadWhole(TestData("vocabularies/t5/spiece.model"));
  const size_t pieces = 900 * 5;  // of at least so many bytes: none of these ends is the end of all
  for (const size_t size : {size_t{1}, size_t{2}, size_t{10}, pieces, file.size() - 1}) {
    EXPECT_NE(ErrorOf(std::string_view(file).substr(0, size)), "") << size;
  }
  EXPECT_THAT(ErrorOf(""), HasSubstr("no pieces"));
  EXPECT_THAT(ErrorOf(Tag(1, 2) + Varint(uint64_t{2} << 30)), HasSubstr("2147483648 bytes"));
  EXPECT_THAT(ErrorOf(Tag(1, 2) + Varint(UINT64_MAX)), HasSubstr("has only 0"));
  EXPECT_THAT(ErrorOf(std::string(11, '\xFF')), HasSubstr("too long"));
  EXPECT_THAT(ErrorOf("\xFF"), HasSubstr("cut short"));
}

TEST(SentencePieceModel, RefusesWhatIsNoSuchFile) {
  EXPECT_NE(ErrorOf("IQ== 0\nIg== 1\n"), "");  // a tokenizer.model of tiktoken's
  EXPECT_NE(ErrorOf("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), "");
  EXPECT_THAT(ErrorOf(Tag(0, 0) + "x"), HasSubstr("the number 0"));
  EXPECT_THAT(ErrorOf(Tag(1, 3)), HasSubstr("wire type 3"));
}

TEST(SentencePieceModel, NamesThePieceThatCannotBeUsed) {
  const std::string good = Piece("a");
  EXPECT_THAT(ErrorOf(good + Piece("")), HasSubstr("piece 1 has no text"));
  EXPECT_THAT(ErrorOf(good + Bytes(1, "")), HasSubstr("piece 1 has no text"));
  EXPECT_THAT(ErrorOf(good + Piece("\xFF")), HasSubstr("piece 1 is not UTF-8"));
  for (const float score :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(ErrorOf(good + Piece("b", score)), HasSubstr("piece 1 has a score"));
  }
  EXPECT_THAT(ErrorOf(Piece("b", 0, 7)), AllOf(HasSubstr("piece 0's type"), HasSubstr("7")));
  EXPECT_THAT(ErrorOf(good + Bytes(2, Number(3, 5))), HasSubstr("model_type is 5"));
}

}  // namespace
}  // namespace embedding
