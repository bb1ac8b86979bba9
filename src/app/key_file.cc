#include "app/key_file.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/ascii.h"
#include "base/quoted.h"
#include "base/read_file.h"

namespace embedding::app {
namespace {

constexpr char kOption[] = "--api-keys-file";
constexpr size_t kMaxBytes = size_t{4} << 20;
// Each is compared with every request's: 10,000 take some 7 microseconds.
constexpr size_t kMaxKeys = 10'000;
constexpr std::string_view kWhiteSpace = " \t\r";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

template <typename... Args>
Error Wrong(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...), {}};
}

void WarnOfReaders(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
    spdlog::warn("{}: every user of this machine may read {}, which has API keys; chmod o-r {}",
                 kOption, Quoted(path), Printable(path, 200));
  }
}

// Takes the next word of the line; "" at its end.
std::string_view TakeWord(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kWhiteSpace), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kWhiteSpace));
  line.remove_prefix(word.size());
  return word;
}

bool IsName(std::string_view name) {
  constexpr size_t kLongest = 64;
  return name.size() <= kLongest && std::all_of(name.begin(), name.end(), [](char c) {
           return IsAlphanumeric(c) || c == '.' || c == '_' || c == '-' || c == '@';
         });
}

std::optional<http::KeyDigest> ParseDigest(std::string_view hex) {
  http::KeyDigest digest;
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    const char* begin = hex.data() + 2 * i;
    const auto [stop, problem] = std::from_chars(begin, begin + 2, digest[i], 16);
    if (problem != std::errc() || stop != begin + 2) return std::nullopt;
  }
  return digest;
}

// The key of a line, or what is wrong with it.
Result<http::ApiKey> ParseKey(std::string_view name, std::string_view key) {
  constexpr std::string_view kDigest = "sha256:";
  if (key.starts_with(kDigest)) {
    const auto digest = ParseDigest(key.substr(kDigest.size()));
    if (!digest) return Wrong("expected 64 hexadecimal digits behind sha256:");
    return http::ApiKey{std::string(name), *digest};
  }
  const auto in_header = [](char c) { return c > ' ' && c <= '~'; };
  if (!std::all_of(key.begin(), key.end(), in_header)) {
    return Wrong("expected a key of printable ASCII, which a header can carry");
  }
  return http::MakeApiKey(std::string(name), key);
}

// Of "requests=5".
Status ParseRate(std::string_view word, http::Rates& rates) {
  const size_t equals = word.find('=');
  const std::string_view what = word.substr(0, equals);
  uint64_t* const rate = what == "requests" ? &rates.requests
                         : what == "tokens" ? &rates.tokens
                                            : nullptr;
  const std::string_view digits = equals == word.npos ? "" : word.substr(equals + 1);
  const char* end = digits.data() + digits.size();
  uint64_t number = 0;
  const auto [stop, problem] = std::from_chars(digits.data(), end, number);
  if (rate == nullptr || problem != std::errc() || stop != end || number > http::kMostPerSecond) {
    // What stands there may be the end of a key with a space in it.
    return Wrong(
        "expected nothing behind the key but requests=N and tokens=N, a second, N from 0 to {}; a "
        "key with a space in it is given as its sha256:",
        http::kMostPerSecond);
  }
  *rate = number;
  return {};
}

Status ParseLine(std::string_view line, const http::Rates& rates, KeyFile& file) {
  const std::string_view name = TakeWord(line);
  if (name.empty() || name.starts_with('#')) return {};
  const std::string_view key = TakeWord(line);
  if (key.empty()) return Wrong("expected a name and its key, got one word");
  if (!IsName(name)) {
    return Wrong(
        "expected a name of at most 64 letters, digits, '.', '_', '-' and '@' before the key");
  }
  ASSIGN_OR_RETURN(http::ApiKey parsed, ParseKey(name, key));
  const bool is_known = std::any_of(file.keys.begin(), file.keys.end(), [&](const auto& other) {
    return other.sha256 == parsed.sha256;
  });
  if (is_known) return Wrong("the key of {} stands in an earlier line too", name);
  if (file.keys.size() == kMaxKeys) return Wrong("the file has more than {} keys", kMaxKeys);
  file.keys.push_back(std::move(parsed));
  http::Rates own = rates;
  bool has_own = false;
  for (std::string_view word = TakeWord(line); !word.empty(); word = TakeWord(line)) {
    RETURN_IF_ERROR(ParseRate(word, own));
    has_own = true;
  }
  if (!has_own) return {};
  const auto [known, is_new] = file.rates.emplace(name, own);
  if (!is_new && (known->second.requests != own.requests || known->second.tokens != own.tokens)) {
    return Wrong("{} has other limits in an earlier line", name);
  }
  return {};
}

}  // namespace

Result<KeyFile> ReadKeyFile(const std::string& path, const http::Rates& rates) {
  ASSIGN_OR_RETURN(const std::string content, ReadFileOf(kOption, path, kMaxBytes));
  WarnOfReaders(path);
  std::string_view rest = content;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  KeyFile file;
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    if (Status parsed = ParseLine(rest.substr(0, end), rates, file); !parsed.ok()) {
      return std::move(parsed).error().At(fmt::format("{}:{}", Printable(path, 200), number));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  // Everybody might ask.
  if (file.keys.empty()) return Wrong("{}: {} has no key in it", kOption, Quoted(path));
  return file;
}

}  // namespace embedding::app
