// Pickles alone, as programs for the machine that reads them.
#include "weights/pickle.h"

#include "fuzz/check.h"

namespace embedding {
namespace {

constexpr PickleGlobal kGlobals[] = {{"collections.OrderedDict", PickleGlobal::Use::kEmptyDict},
                                     {"torch._utils._rebuild_tensor_v2", PickleGlobal::Use::kCall},
                                     {"torch.Size", PickleGlobal::Use::kCall},
                                     {"torch.FloatStorage", PickleGlobal::Use::kNameOnly}};

bool IsKnown(std::string_view name) {
  for (const PickleGlobal& global : kGlobals) {
    if (global.name == name) return true;
  }
  return false;
}

void CheckValue(const PickleDocument& document, const PickleValue& value, std::string_view pickle) {
  for (const PickleId id : value.items) FUZZ_CHECK(id < document.values.size());
  switch (value.kind) {
    case PickleKind::kString:
      FUZZ_CHECK(IsUtf8(value.text));
      FUZZ_CHECK(value.text.empty() ||
                 (value.text.data() >= pickle.data() &&
                  value.text.data() + value.text.size() <= pickle.data() + pickle.size()));
      break;
    case PickleKind::kDict:
      FUZZ_CHECK(value.items.size() % 2 == 0);
      break;
    case PickleKind::kGlobal:
      FUZZ_CHECK(IsKnown(value.text));
      break;
    case PickleKind::kPersistentId:
      FUZZ_CHECK(value.items.size() == 1);
      break;
    case PickleKind::kCall:
      FUZZ_CHECK(value.items.size() == 2);
      FUZZ_CHECK(document[value.items[0]].kind == PickleKind::kGlobal);
      FUZZ_CHECK(document[value.items[1]].kind == PickleKind::kTuple);
      break;
    case PickleKind::kTuple:
    case PickleKind::kList:
      break;
    default:
      FUZZ_CHECK(value.items.empty());
  }
}

}  // namespace
}  // namespace embedding

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace embedding;
  const std::string_view pickle = AsString(data, size);
  const Result<PickleDocument> document =
      ReadPickle(std::as_bytes(std::span(data, size)), kGlobals);
  if (!document.ok()) {
    CheckModelError(document.error());
    return 0;
  }
  // What makes memory proportional to the pickle: no opcode makes more than one of either.
  size_t references = 0;
  for (const PickleValue& value : document->values) {
    CheckValue(*document, value, pickle);
    references += value.items.size();
  }
  FUZZ_CHECK(document->values.size() <= size);
  FUZZ_CHECK(references <= size);
  FUZZ_CHECK(document->root < document->values.size());
  return 0;
}
