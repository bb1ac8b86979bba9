// Unigram: of all ways to cut a word into pieces, the one whose scores have the largest sum.
//
// Viterbi over the word's bytes: best[i] is the best way to cut the first i bytes. From every i at
// which a character begins, one walk down the trie finds all pieces that begin there, shortest
// first, and each offers its end a way. A character that is no piece of its own is offered as
// unknown, at a score below every piece's; unknown characters side by side become one token.
//
// The result is exactly that of the `tokenizers` library: sums are f64, of its scores to the last
// bit (unigram_scores.h), and made in the same order, and of equal ways the one that was offered
// first stays. Time is linear in the word, since pieces have a longest length.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "text/byte_ids.h"
#include "text/model.h"

namespace embedding {
namespace {

constexpr double kUnkPenalty = 10.0;

class Unigram : public Model {
 public:
  Unigram(Vocabulary vocabulary, std::vector<double> scores, int32_t unk_id, bool byte_fallback)
      : Model(std::move(vocabulary)), scores_(std::move(scores)), unk_id_(unk_id) {
    unk_score_ = *std::min_element(scores_.begin(), scores_.end()) - kUnkPenalty;
    if (byte_fallback) fallback_ids_ = FindFallbackBytes(this->vocabulary());
  }

  void Tokenize(std::string_view word, uint32_t begin, std::vector<Token>& tokens) const override {
    thread_local std::vector<Best> best;
    best.assign(word.size() + 1, Best{});
    FindBest(word, best.data());
    Trace(word, best.data(), begin, tokens);
    if (best.capacity() > kKeptCapacity) best = {};
  }

  std::string_view TextOf(const Token& token, std::string_view covered) const override {
    const bool is_byte =
        fallback_ids_ && token.id != unk_id_ && vocabulary().TextOf(token.id) != covered;
    return is_byte ? vocabulary().TextOf(token.id) : covered;
  }

 private:
  static constexpr uint32_t kNowhere = UINT32_MAX;
  // A thread keeps its buffer from word to word, unless a word made it larger than this.
  static constexpr size_t kKeptCapacity = size_t{1} << 16;

  // The best way to cut the text up to here: its score, and its last piece.
  struct Best {
    double score = 0.0;
    uint32_t start = kNowhere;
    int32_t id = 0;

    void Offer(double offered_score, size_t offered_start, int32_t offered_id) {
      if (start != kNowhere && !(offered_score > score)) return;
      *this = {offered_score, static_cast<uint32_t>(offered_start), offered_id};
    }
  };

  void FindBest(std::string_view word, Best* best) const {
    const DoubleArrayTrie& trie = vocabulary().trie();
    for (size_t start = 0; start < word.size();) {
      const double score = best[start].score;
      const size_t char_end = start + Utf8Length(static_cast<unsigned char>(word[start]));
      bool has_char = false;
      DoubleArrayTrie::Node node = trie.root();
      for (size_t i = start; i < word.size(); ++i) {
        if (!trie.Step(static_cast<unsigned char>(word[i]), node)) break;
        if (!node.has_value()) continue;
        const uint32_t id = node.value();
        best[i + 1].Offer(scores_[id] + score, start, static_cast<int32_t>(id));
        has_char |= i + 1 == char_end;
      }
      if (!has_char) best[char_end].Offer(unk_score_ + score, start, unk_id_);
      start = char_end;
    }
  }

  void Trace(std::string_view word, const Best* best, uint32_t begin,
             std::vector<Token>& tokens) const {
    const auto first = static_cast<ptrdiff_t>(tokens.size());
    for (size_t end = word.size(); end > 0;) {
      const Best& last = best[end];
      size_t start = last.start;
      int32_t id = last.id;
      if (id == unk_id_) {
        while (start > 0 && best[start].id == unk_id_) start = best[start].start;
        const std::string_view unknown = word.substr(start, end - start);
        const std::optional<int32_t> piece = vocabulary().IdOf(unknown);
        if (!piece && AddBytes(unknown, begin + static_cast<uint32_t>(start), tokens)) {
          end = start;
          continue;
        }
        id = piece.value_or(unk_id_);
      }
      tokens.push_back(
          {id, begin + static_cast<uint32_t>(start), begin + static_cast<uint32_t>(end)});
      end = start;
    }
    std::reverse(tokens.begin() + first, tokens.end());
  }

  // Adds the bytes of `text`, the last of them first, if all are pieces. Each stands for all of it.
  bool AddBytes(std::string_view text, uint32_t begin, std::vector<Token>& tokens) const {
    if (!fallback_ids_) return false;
    const auto id_of = [&](char byte) {
      return (*fallback_ids_)[static_cast<unsigned char>(byte)];
    };
    if (std::any_of(text.begin(), text.end(), [&](char b) { return id_of(b) == kNoPiece; })) {
      return false;
    }
    for (auto byte = text.rbegin(); byte != text.rend(); ++byte) {
      tokens.push_back({id_of(*byte), begin, begin + static_cast<uint32_t>(text.size())});
    }
    return true;
  }

  std::vector<double> scores_;
  int32_t unk_id_;
  std::optional<ByteIds> fallback_ids_;
  double unk_score_;
};

}  // namespace

Result<std::unique_ptr<Model>> MakeUnigram(Vocabulary vocabulary, std::vector<double> scores,
                                           uint32_t unk_id, bool byte_fallback) {
  if (unk_id >= scores.size()) {
    return Error{ErrorCode::kModelLoad,
                 "the unk_id " + std::to_string(unk_id) + " is not in the vocabulary of " +
                     std::to_string(scores.size()) + " pieces",
                 ""};
  }
  return std::unique_ptr<Model>(std::make_unique<Unigram>(
      std::move(vocabulary), std::move(scores), static_cast<int32_t>(unk_id), byte_fallback));
}

}  // namespace embedding
