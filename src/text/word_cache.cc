#include "text/word_cache.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace embedding {
namespace {

uint64_t Load8(const char* at) {
  uint64_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

uint64_t Load4(const char* at) {
  uint32_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

uint64_t Load1(const char* at) { return static_cast<unsigned char>(*at); }

}  // namespace

uint32_t WordCache::NewModel() {
  static std::atomic<uint32_t> last = 0;
  return ++last;
}

WordCache::Entry& WordCache::Add(uint32_t model, std::string_view word) {
  Entry* const places = &entries_[Hash(model, word) & (kEntries - 2)];
  places[1] = places[0];
  places[0].model = model;
  places[0].size_bytes = static_cast<uint8_t>(word.size());
  std::copy(word.begin(), word.end(), places[0].word.begin());
  return places[0];
}

size_t WordCache::Hash(uint32_t model, std::string_view word) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  const size_t size = word.size();
  const char* const begin = word.data();
  uint64_t hash = (uint64_t{model} << 8) + size;
  const auto mix = [&hash](uint64_t value) {
    hash = (hash ^ value) * kOdd;
    hash ^= hash >> 32;
  };
  // The last load of a word overlaps the one before it, rather than to end beyond the word.
  if (size >= 8) {
    for (size_t i = 0; i + 8 < size; i += 8) mix(Load8(begin + i));
    mix(Load8(begin + size - 8));
  } else if (size >= 4) {
    mix(Load4(begin) << 32 | Load4(begin + size - 4));
  } else {
    mix(Load1(begin) << 16 | Load1(begin + size / 2) << 8 | Load1(begin + size - 1));
  }
  return static_cast<size_t>(hash);
}

}  // namespace embedding
