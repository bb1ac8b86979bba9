#include "http/api_keys.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <strings.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "http/client_address.h"

namespace embedding::http {
namespace {

// SHA-256 of pieces one after another.
class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new()) {
    if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
      throw std::bad_alloc();  // it has no other way to fail
    }
  }
  Hash& Add(std::span<const uint8_t> bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
    return *this;
  }
  KeyDigest Finish() {
    KeyDigest digest;
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// 1 or 0, without a branch.
size_t Equal(const KeyDigest& a, const KeyDigest& b) {
  uint64_t difference = 0;
  for (size_t i = 0; i < a.size(); i += sizeof(uint64_t)) {
    uint64_t x;
    uint64_t y;
    std::memcpy(&x, a.data() + i, sizeof(x));
    std::memcpy(&y, b.data() + i, sizeof(y));
    difference |= x ^ y;
  }
  return static_cast<size_t>(((difference | (~difference + 1)) >> 63) ^ 1);
}

// The key of "Bearer <key>", whose first word may be of any case and stand before several
// spaces (RFC 9110, 11.1 and 11.4).
std::string_view BearerKey(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() < kScheme.size() ||
      ::strncasecmp(authorization.data(), kScheme.data(), kScheme.size()) != 0) {
    return {};
  }
  authorization.remove_prefix(
      std::min(authorization.find_first_not_of(' ', kScheme.size()), authorization.size()));
  return authorization;
}

// What limits and turns go by.
std::string IdOf(const ClientIdentity& client) {
  if (!client.key_name.empty()) return "key:" + client.key_name;
  if (client.address.find(':') == std::string::npos) return client.address;
  const std::optional<Address> address = Address::Parse(client.address);
  return address ? address->Network() : client.address;
}

}  // namespace

// Immutable. The digests are those of the salt and the keys' own, so that what is in memory is of
// no use elsewhere, and nobody can send keys whose digests begin as they like.
struct ApiKeys::Table {
  KeyDigest salt{};
  std::vector<KeyDigest> digests;
  std::vector<std::string> names;
  size_t longest = kKeyBytes;
  std::vector<uint8_t> filler;

  KeyDigest Salted(const KeyDigest& sha256) const { return Hash().Add(salt).Add(sha256).Finish(); }
};

ApiKey MakeApiKey(std::string name, std::string_view key) {
  return {std::move(name), Hash().Add(BytesOf(key)).Finish(), key.size()};
}

ApiKeys::ApiKeys(const std::vector<ApiKey>& keys) { Replace(keys); }
ApiKeys::~ApiKeys() = default;

void ApiKeys::Replace(const std::vector<ApiKey>& keys) {
  const auto table = std::make_shared<Table>();
  // The salt is not what the keys' secrecy hangs on.
  (void)RAND_bytes(table->salt.data(), static_cast<int>(table->salt.size()));
  for (const ApiKey& key : keys) {
    if (key.bytes == 0) continue;  // it would let in whoever sends none
    table->digests.push_back(table->Salted(key.sha256));
    table->names.push_back(key.name);
    table->longest = std::max(table->longest, key.bytes.value_or(0));
  }
  table->filler.resize(table->longest);
  const MutexLock lock(mutex_);
  table_ = table;
}

std::shared_ptr<const ApiKeys::Table> ApiKeys::table() const {
  const MutexLock lock(mutex_);
  return table_;
}

bool ApiKeys::empty() const { return table()->digests.empty(); }

std::string ApiKeys::NameOf(std::string_view key) const {
  if (key.empty()) return {};
  const std::shared_ptr<const Table> table = this->table();
  if (table->digests.empty()) return {};
  const std::string_view hashed = key.substr(0, table->longest);
  const KeyDigest digest = table->Salted(Hash().Add(BytesOf(hashed)).Finish());
  const size_t filler = FillerBytes(hashed.size(), table->longest);
  const KeyDigest unused = Hash().Add({table->filler.data(), filler}).Finish();
  (void)unused;
  const size_t place = PlaceOf(digest, table->digests, Equal);
  const bool known = place < table->names.size() && hashed.size() == key.size();
  return known ? table->names[place] : std::string();
}

Middleware FindClient(const ApiKeys& keys) {
  return [&keys](Handler next) -> Handler {
    return [&keys, next = std::move(next)](Request request, Responder responder) {
      ClientIdentity& client = request.client;
      for (const std::string_view sent :
           {std::string_view(request.api_key), BearerKey(request.authorization)}) {
        std::string name = keys.NameOf(sent);
        if (client.key_name.empty()) client.key_name = std::move(name);
      }
      client.id = IdOf(client);
      next(std::move(request), std::move(responder));
    };
  };
}

Middleware RequireKey(const ApiKeys& keys, WordRefusal word) {
  return RefuseIf(
      [&keys](const Request& request) -> std::optional<Refusal> {
        if (!request.client.key_name.empty() || keys.empty()) return std::nullopt;
        if (request.api_key.empty() && BearerKey(request.authorization).empty()) {
          return Refusal{StatusCode::kUnauthorized,
                         "this server wants an API key, as the header X-API-Key: <key> or "
                         "Authorization: Bearer <key>"};
        }
        return Refusal{StatusCode::kUnauthorized, "the API key is not one of this server's"};
      },
      std::move(word));
}

}  // namespace embedding::http
