#include "text/categories.h"

namespace embedding {
namespace {

#include "text/category_tables.inc"

}  // namespace

const std::vector<CodePointRun<CharCategory>>& CategoryRuns() {
  static const auto runs = ReadRuns<CharCategory>(kCategoryRuns, 11);
  return runs;
}

const CodePointTable<CharCategory>& Categories() {
  static const CodePointTable<CharCategory> table(CategoryRuns());
  return table;
}

uint8_t ScriptOf(char32_t c) {
  static const CodePointTable<uint8_t> table(ReadRuns<uint8_t>(kScriptRuns, 8));
  return table[c];
}

}  // namespace embedding
