// Text that a template renders before the texts that are put into it are known: pieces that are
// said, and places for those texts.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace embedding::jinja {

// Which of a message's texts stands in a place: that of a pair's query, or the only one; or the
// pair's document.
enum class Place : uint8_t { kNone, kFirst, kSecond };

struct Piece {
  std::string text = {};  // where there is no place
  Place place = Place::kNone;
  bool is_stripped = false;  // of white space at its ends, as Python's str.strip() does it

  bool operator==(const Piece&) const = default;
};

// Pieces side by side; none of text is empty, and none follows another.
class Text {
 public:
  Text() = default;
  explicit Text(std::string said) { Add({.text = std::move(said)}); }
  explicit Text(Place place) : pieces_{{.place = place}} {}

  void Add(Piece piece) {
    if (piece.place == Place::kNone && piece.text.empty()) return;
    const bool joins =
        piece.place == Place::kNone && !pieces_.empty() && pieces_.back().place == Place::kNone;
    if (joins) {
      pieces_.back().text += piece.text;
    } else {
      pieces_.push_back(std::move(piece));
    }
  }
  void Add(const Text& text) {
    for (const Piece& piece : text.pieces_) Add(piece);
  }

  const std::vector<Piece>& pieces() const { return pieces_; }
  // Whether it is said, all of it, and what it says then.
  bool is_said() const {
    return pieces_.empty() || (pieces_.size() == 1 && pieces_[0].place == Place::kNone);
  }
  std::string said() const { return pieces_.empty() ? std::string() : pieces_[0].text; }

  bool operator==(const Text&) const = default;

 private:
  std::vector<Piece> pieces_;
};

}  // namespace embedding::jinja
