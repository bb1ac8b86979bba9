#include "text/categories.h"

namespace embedding {
namespace {

#include "text/category_tables.inc"

}  // namespace

const CodePointTable<CharCategory>& Categories() {
  static const CodePointTable<CharCategory> table(
      [run = ReadRuns(kCategoryRuns, 11)](char32_t each) mutable {
        return CharCategory(static_cast<uint16_t>(run(each)));
      });
  return table;
}

uint8_t ScriptOf(char32_t c) {
  static const CodePointTable<uint8_t> table(
      [run = ReadRuns(kScriptRuns, 8)](char32_t each) mutable {
        return static_cast<uint8_t>(run(each));
      });
  return table[c];
}

}  // namespace embedding
