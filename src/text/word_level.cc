// WordLevel: a word is a piece, or unknown.
#include <cstddef>
#include <optional>
#include <utility>

#include "base/quoted.h"
#include "text/model.h"

namespace embedding {
namespace {

class WordLevel : public Model {
 public:
  WordLevel(Vocabulary vocabulary, int32_t unk_id)
      : Model(std::move(vocabulary)), unk_id_(unk_id) {}

  void Tokenize(std::string_view word, uint32_t begin, std::vector<Token>& tokens) const override {
    tokens.push_back({vocabulary().IdOf(word).value_or(unk_id_), begin,
                      begin + static_cast<uint32_t>(word.size())});
  }

  std::string_view TextOf(const Token& token, std::string_view) const override {
    return vocabulary().TextOf(token.id);
  }

 private:
  int32_t unk_id_;
};

}  // namespace

Result<std::unique_ptr<Model>> MakeWordLevel(Vocabulary vocabulary, std::string_view unk_token) {
  const std::optional<int32_t> unk_id = vocabulary.IdOf(unk_token);
  if (!unk_id) {
    return Error{ErrorCode::kModelLoad, "the vocabulary lacks the unk_token " + Quoted(unk_token),
                 ""};
  }
  return std::unique_ptr<Model>(std::make_unique<WordLevel>(std::move(vocabulary), *unk_id));
}

}  // namespace embedding
