// AddedTokens: the tokens that are cut out of a text before the model sees it.
//
// Thread-safety: immutable after Build.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/double_array_trie.h"

namespace embedding {

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool single_word = false;  // only where no word character is next to it
  bool lstrip = false;       // takes the white space on its left with it
  bool rstrip = false;
  bool special = false;     // no part of the text when ids are decoded
  bool normalized = false;  // looked for in the normalised text, and normalised itself
};

class AddedTokens {
 public:
  // A part of a text: that of an added token, or (id kNoToken) what lies between them.
  struct Part {
    static constexpr int32_t kNoToken = -1;

    size_t begin;
    size_t end;
    int32_t id;
  };

  // Finds each token by its `content`; of equal ones the last (the library takes any). Errors:
  // kModelLoad if one is empty.
  static Result<AddedTokens> Build(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }

  // Cuts `text` into parts, which together are the text; `parts` is overwritten. Of tokens that
  // overlap the leftmost is taken, of those the longest.
  void Split(std::string_view text, std::vector<Part>& parts) const;

 private:
  struct Match {
    size_t begin;
    size_t end;
    const AddedToken* token;
  };

  std::optional<Match> FindNext(std::string_view text, size_t position) const;

  std::vector<AddedToken> tokens_;
  DoubleArrayTrie trie_;  // content -> index in tokens_
  std::array<bool, 256> is_first_byte_ = {};
  std::optional<char> only_first_byte_;  // the one byte that all tokens begin with
};

}  // namespace embedding
