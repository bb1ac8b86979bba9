#include "weights/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "weights/builders.h"

namespace embedding {
namespace {

using namespace std::string_literals;  // for literals with zeros in them
using testing::ElementsAre;
using testing::HasSubstr;
using Use = PickleGlobal::Use;

constexpr PickleGlobal kGlobals[] = {{"collections.OrderedDict", Use::kEmptyDict},
                                     {"allowed.call", Use::kCall},
                                     {"allowed.name", Use::kNameOnly}};

Result<PickleDocument> Read(const std::string& pickle) {
  return ReadPickle(AsBytes(pickle), kGlobals);
}

std::string ErrorOf(const std::string& pickle) {
  const auto document = Read(pickle);
  EXPECT_FALSE(document.ok());
  return document.ok() ? "" : document.error().message;
}

PickleValue RootOf(const std::string& value) {
  const auto document = Read(Pickle(value));
  EXPECT_TRUE(document.ok()) << document.error().message;
  return document.ok() ? (*document)[document->root] : PickleValue{};
}

std::string TextOf(const std::string& value) {
  const std::string pickle = Pickle(value);
  const auto document = Read(pickle);
  EXPECT_TRUE(document.ok()) << document.error().message;
  return document.ok() ? std::string((*document)[document->root].text) : "";
}

int64_t IntegerOf(const std::string& value) {
  const PickleValue root = RootOf(value);
  EXPECT_EQ(root.kind, PickleKind::kInt);
  return root.integer;
}

TEST(PickleTest, ReadsScalars) {
  EXPECT_EQ(RootOf("N").kind, PickleKind::kNone);
  EXPECT_EQ(RootOf("\x88").integer, 1);
  EXPECT_EQ(RootOf("\x89").kind, PickleKind::kBool);
  EXPECT_EQ(RootOf("G" + std::string(8, '\0')).kind, PickleKind::kFloat);
  EXPECT_EQ(IntegerOf("K\xFF"), 255);
  EXPECT_EQ(IntegerOf("M\xFF\xFF"), 65535);
  EXPECT_EQ(IntegerOf("J\xFF\xFF\xFF\xFF"), -1);
  // pickle.dumps(2 ** 40, 2), of -(2 ** 40), of 2 ** 63 - 1, of -(2 ** 63)
  EXPECT_EQ(IntegerOf("\x8a\x06\0\0\0\0\0\1"s), int64_t{1} << 40);
  EXPECT_EQ(IntegerOf("\x8a\x06\0\0\0\0\0\xFF"s), -(int64_t{1} << 40));
  EXPECT_EQ(IntegerOf("\x8a\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"), INT64_MAX);
  EXPECT_EQ(IntegerOf("\x8a\x08\0\0\0\0\0\0\0\x80"s), INT64_MIN);
  EXPECT_EQ(IntegerOf("\x8a\0"s), 0);
  EXPECT_EQ(TextOf(Str("вес")), "вес");
  EXPECT_EQ(TextOf("\x8c\x03"s + "abc"), "abc");
  EXPECT_EQ(TextOf("\x8d\3\0\0\0\0\0\0\0"s + "abc"), "abc");
}

TEST(PickleTest, ReadsContainersAndTheMemo) {
  EXPECT_EQ(RootOf(Tuple({"N", "N", "N"})).items.size(), 3U);
  EXPECT_EQ(RootOf("NN\x86").items.size(), 2U);
  EXPECT_EQ(RootOf(")").kind, PickleKind::kTuple);
  EXPECT_EQ(RootOf("]Na").items.size(), 1U);
  EXPECT_EQ(RootOf("](NNe").items.size(), 2U);
  EXPECT_EQ(RootOf("}" + Str("k") + "Ns").items.size(), 2U);
  const PickleValue dict = RootOf(Global("collections", "OrderedDict") + ")R(" + Str("k") + "Nu" +
                                  "}b");  // with attributes, which are dropped
  EXPECT_EQ(dict.kind, PickleKind::kDict);
  EXPECT_EQ(dict.items.size(), 2U);
  // BINPUT/BINGET, MEMOIZE/LONG_BINGET, POP, POP_MARK.
  EXPECT_THAT(RootOf("Nq\7h\7\x86").items, ElementsAre(0, 0));
  EXPECT_THAT(RootOf("N\x94j\0\0\0\0\x86"s).items, ElementsAre(0, 0));
  EXPECT_EQ(IntegerOf("K\1N0"), 1);
  EXPECT_EQ(IntegerOf("K\1(NN1"), 1);
  EXPECT_EQ(IntegerOf("K\1(0"), 1);
}

TEST(PickleTest, AcceptsProtocolFour) {
  // pickle.dumps({"k": (1, 2)}, 4)
  const std::string pickle =
      "\x80\x04\x95\x0e\0\0\0\0\0\0\0}\x94\x8c\x01k\x94K\x01K\x02\x86\x94s."s;
  const auto document = Read(pickle);
  ASSERT_TRUE(document.ok()) << document.error().message;
  EXPECT_EQ((*document)[document->root].kind, PickleKind::kDict);
  EXPECT_EQ(TextOf(Str("allowed") + Str("name") + "\x93"), "allowed.name");
}

TEST(PickleTest, MakesACallAValue) {
  const auto document = Read(Pickle(Call(Global("allowed", "call"), {Int(7)})));
  ASSERT_TRUE(document.ok()) << document.error().message;
  const PickleValue& call = (*document)[document->root];
  ASSERT_EQ(call.kind, PickleKind::kCall);
  EXPECT_EQ((*document)[call.items[0]].text, "allowed.call");
  EXPECT_EQ((*document)[(*document)[call.items[1]].items[0]].integer, 7);
}

TEST(PickleTest, RefusesGlobalsByName) {
  EXPECT_THAT(ErrorOf(Pickle(Call(Global("os", "system"), {Str("id")}))),
              HasSubstr("byte 13: refuses os.system"));
  EXPECT_THAT(ErrorOf(Pickle(Call(Global("builtins", "eval"), {Str("1")}))),
              HasSubstr("refuses builtins.eval"));
  EXPECT_THAT(ErrorOf(Pickle(Str("posix") + Str("system") + "\x93" + Tuple({Str("id")}) + "R")),
              HasSubstr("refuses posix.system"));
  // Names that only look like an allowed one.
  for (const auto& [module, name] : {std::pair("allowed", "call2"),
                                     {"allowed", "cal"},
                                     {"allowed.call", ""},
                                     {"", "allowed.call"},
                                     {"", ""},
                                     {"allowedx", "call"},
                                     {"allowed", "name.system"}}) {
    EXPECT_THAT(ErrorOf(Pickle(Global(module, name))), HasSubstr("refuses")) << module << name;
  }
  EXPECT_THAT(ErrorOf(Pickle(Global("\x1b[2J", "x"))), HasSubstr("refuses \\x1b[2J.x"));
}

TEST(PickleTest, RefusesCallsOfAnythingElse) {
  EXPECT_THAT(ErrorOf(Pickle(Call(Global("allowed", "name"), {}))),
              HasSubstr("refuses to call allowed.name"));
  EXPECT_THAT(ErrorOf(Pickle(Call(Str("os.system"), {Str("id")}))),
              HasSubstr("refuses to call a string"));
  // The result of a call, called.
  EXPECT_THAT(ErrorOf(Pickle(Call(Call(Global("allowed", "call"), {}), {Str("id")}))),
              HasSubstr("refuses to call the result of a call"));
  EXPECT_THAT(ErrorOf(Pickle(Global("allowed", "call") + "]R")), HasSubstr("with a list"));
  EXPECT_THAT(ErrorOf(Pickle(Call(Global("collections", "OrderedDict"), {"]"}))),
              HasSubstr("OrderedDict with arguments"));
  EXPECT_THAT(ErrorOf(Pickle(Call(Global("allowed", "call"), {}) + "}b")),
              HasSubstr("refuses to set the state of the result of a call"));
}

TEST(PickleTest, RefusesEveryOtherOpcodeByName) {
  EXPECT_THAT(ErrorOf(Pickle("(ios\nsystem\n")), HasSubstr("opcode INST"));
  EXPECT_THAT(ErrorOf(Pickle("(o")), HasSubstr("opcode OBJ"));
  EXPECT_THAT(ErrorOf(Pickle("N)\x81")), HasSubstr("opcode NEWOBJ"));
  EXPECT_THAT(ErrorOf(Pickle("N)}\x92")), HasSubstr("opcode NEWOBJ_EX"));
  EXPECT_THAT(ErrorOf(Pickle("\x82\x01")), HasSubstr("opcode EXT1"));
  EXPECT_THAT(ErrorOf(Pickle("S'x'\n")), HasSubstr("opcode STRING"));
  EXPECT_THAT(ErrorOf(Pickle("N2")), HasSubstr("opcode DUP"));
  EXPECT_THAT(ErrorOf(Pickle("\xEE")), HasSubstr("0xee is not an opcode"));
  EXPECT_THAT(ErrorOf("\x80\x01N."), HasSubstr("protocol 1"));
  EXPECT_THAT(ErrorOf("\x80\x06N."), HasSubstr("protocol 6"));
}

TEST(PickleTest, RefusesWhatDoesNotFitTogether) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("truncated"));
  EXPECT_THAT(ErrorOf("."), HasSubstr("0 values"));
  EXPECT_THAT(ErrorOf("NN."), HasSubstr("2 values"));
  EXPECT_THAT(ErrorOf("N(."), HasSubstr("1 marks"));
  EXPECT_THAT(ErrorOf("N.N"), HasSubstr("1 bytes after"));
  for (const char* empty :
       {"0", "a", "s", "\x85", "N\x87", "R", "b", "Q", "q\1", "\x93", "(a", "](Na", "N(\x85"}) {
    EXPECT_THAT(ErrorOf(empty), HasSubstr("runs empty")) << empty;
  }
  for (const char* unmarked : {"t", "u", "]e", "1", "NNt"}) {
    EXPECT_THAT(ErrorOf(unmarked), HasSubstr("lacks a mark")) << unmarked;
  }
  EXPECT_THAT(ErrorOf(")(Ne"), HasSubstr("adds elements to a tuple as if it were a list"));
  EXPECT_THAT(ErrorOf("](NNu"), HasSubstr("adds elements to a list as if it were a dictionary"));
  EXPECT_THAT(ErrorOf("}(Nu"), HasSubstr("no value"));
  EXPECT_THAT(ErrorOf("h\1"), HasSubstr("memo has no value 1"));
  EXPECT_THAT(ErrorOf("K"), HasSubstr("truncated"));
  EXPECT_THAT(ErrorOf("NN\x93"), HasSubstr("needs two strings"));
  EXPECT_THAT(ErrorOf("X\xFF\xFF\xFF\xFF"
                      "abc"),
              HasSubstr("truncated"));
  EXPECT_THAT(ErrorOf("\x8d\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), HasSubstr("truncated"));
  EXPECT_THAT(ErrorOf(Str("\xC0\x80")), HasSubstr("not valid UTF-8"));
  EXPECT_THAT(ErrorOf("cos"), HasSubstr("truncated"));
  EXPECT_THAT(ErrorOf("\x8a\x09"
                      "123456789"),
              HasSubstr("beyond 64 bits"));
}

TEST(PickleTest, KeepsCyclesAsIndices) {
  // l = []; l.append(l)
  const auto list = Read(Pickle("]q\1h\1a"));
  ASSERT_TRUE(list.ok());
  EXPECT_THAT((*list)[list->root].items, ElementsAre(list->root));
  // d = {}; d["k"] = (d,)
  const auto dict = Read(Pickle("}q\1" + Str("k") + "h\1\x85s"));
  ASSERT_TRUE(dict.ok());
  EXPECT_THAT((*dict)[(*dict)[dict->root].items[1]].items, ElementsAre(dict->root));
}

TEST(PickleTest, DoesNotExpandSharedStructure) {
  // t = (t, t), 10,000 times: an object of 2^10000 elements in 60 kB.
  std::string value = "N";
  for (int i = 0; i < 10'000; ++i) value += "q\1h\1\x86";
  const auto document = Read(Pickle(value));
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->values.size(), 10'001U);
}

TEST(PickleTest, BoundsTheSize) {
  EXPECT_THAT(ErrorOf(std::string((4 << 20) + 1, 'N')), HasSubstr("too large"));
}

}  // namespace
}  // namespace embedding
