#include "hub/model_names.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <iterator>

#include "base/ascii.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

constexpr size_t kMaxIdPartBytes = 96;

// In the order in which they are looked for.
constexpr const char* kOrganisations[] = {"sentence-transformers", "cross-encoder",
                                          "sparse-encoder"};

// Models that are older than organisations, as sentence-transformers lists them. Sorted.
constexpr std::string_view kWithoutOrganisation[] = {
    "albert-base-v1",
    "albert-base-v2",
    "albert-large-v1",
    "albert-large-v2",
    "albert-xlarge-v1",
    "albert-xlarge-v2",
    "albert-xxlarge-v1",
    "albert-xxlarge-v2",
    "bert-base-cased",
    "bert-base-cased-finetuned-mrpc",
    "bert-base-chinese",
    "bert-base-german-cased",
    "bert-base-german-dbmdz-cased",
    "bert-base-german-dbmdz-uncased",
    "bert-base-multilingual-cased",
    "bert-base-multilingual-uncased",
    "bert-base-uncased",
    "bert-large-cased",
    "bert-large-cased-whole-word-masking",
    "bert-large-cased-whole-word-masking-finetuned-squad",
    "bert-large-uncased",
    "bert-large-uncased-whole-word-masking",
    "bert-large-uncased-whole-word-masking-finetuned-squad",
    "camembert-base",
    "ctrl",
    "distilbert-base-cased",
    "distilbert-base-cased-distilled-squad",
    "distilbert-base-german-cased",
    "distilbert-base-multilingual-cased",
    "distilbert-base-uncased",
    "distilbert-base-uncased-distilled-squad",
    "distilbert-base-uncased-finetuned-sst-2-english",
    "distilgpt2",
    "distilroberta-base",
    "gpt2",
    "gpt2-large",
    "gpt2-medium",
    "gpt2-xl",
    "openai-gpt",
    "roberta-base",
    "roberta-base-openai-detector",
    "roberta-large",
    "roberta-large-mnli",
    "roberta-large-openai-detector",
    "t5-11b",
    "t5-3b",
    "t5-base",
    "t5-large",
    "t5-small",
    "transfo-xl-wt103",
    "xlm-clm-ende-1024",
    "xlm-clm-enfr-1024",
    "xlm-mlm-100-1280",
    "xlm-mlm-17-1280",
    "xlm-mlm-en-2048",
    "xlm-mlm-ende-1024",
    "xlm-mlm-enfr-1024",
    "xlm-mlm-enro-1024",
    "xlm-mlm-tlm-xnli15-1024",
    "xlm-mlm-xnli15-1024",
    "xlm-roberta-base",
    "xlm-roberta-large",
    "xlm-roberta-large-finetuned-conll02-dutch",
    "xlm-roberta-large-finetuned-conll02-spanish",
    "xlm-roberta-large-finetuned-conll03-english",
    "xlm-roberta-large-finetuned-conll03-german",
    "xlnet-base-cased",
    "xlnet-large-cased",
};

bool IsIdPart(std::string_view part) {
  const auto allowed = [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  const auto at_an_end = [](char c) { return IsAlphanumeric(c) || c == '_'; };
  return !part.empty() && part.size() <= kMaxIdPartBytes &&
         std::all_of(part.begin(), part.end(), allowed) && at_an_end(part.front()) &&
         at_an_end(part.back()) && part.find("--") == std::string_view::npos &&
         part.find("..") == std::string_view::npos;
}

}  // namespace

Status CheckModelId(std::string_view id) {
  const size_t slash = id.find('/');
  const bool valid = slash == std::string_view::npos
                         ? IsIdPart(id)
                         : IsIdPart(id.substr(0, slash)) && IsIdPart(id.substr(slash + 1));
  if (valid) return {};
  return ModelError(
      "{} is neither an existing directory nor a model id, which is \"name\" or \"org/name\" of "
      "letters, digits, '-', '_' and '.'",
      Quoted(id));
}

std::vector<std::string> HubIdsOf(const std::string& name) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name.find('/') != std::string::npos ||
      std::binary_search(std::begin(kWithoutOrganisation), std::end(kWithoutOrganisation),
                         std::string_view(lower))) {
    return {name};
  }
  std::vector<std::string> ids;
  for (const char* organisation : kOrganisations) {
    ids.push_back(fmt::format("{}/{}", organisation, name));
  }
  return ids;
}

}  // namespace embedding
