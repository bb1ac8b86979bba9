#include "model/families.h"

#include "model/families/rows.h"

namespace embedding {
namespace {

constexpr const Family* kFamilies[] = {
    &kAlbert,          &kBert,  &kCamembert, &kDebertaV2,  &kDistilBert, &kElectra,
    &kEmbeddingGemma2, &kErnie, &kEuroBert,  &kGemma3,     &kGte,        &kJinaV3,
    &kJinaV5,          &kLlama, &kMistral,   &kModernBert, &kMpnet,      &kMt5,
    &kNomicBert,       &kQwen2, &kQwen3,     &kRoberta,    &kT5,         &kXlmRoberta,
};

}  // namespace

std::span<const Family* const> Families() { return kFamilies; }

std::string FamilyNames() {
  std::string names;
  for (const Family* family : kFamilies) {
    for (const char c : family->model_types)
      names += c == '|' ? std::string(", ") : std::string(1, c);
    names += family == *std::rbegin(kFamilies) ? "" : ", ";
  }
  return names;
}

}  // namespace embedding
