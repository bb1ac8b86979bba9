#include "engine/model_identity.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu.h"

namespace embedding {
namespace {

// Changes when what is hashed, or what is stored, does.
constexpr std::string_view kFormat = "embedding results 4";

// Compilers differ in which products and sums they contract, and versions in their kernels.
constexpr std::string_view kBuild = EMBEDDING_SERVICE_VERSION " " __VERSION__;

// A field, so that what precedes and follows it is no part of it.
void Add(std::string_view field, Sha256& sha256) {
  const uint64_t size = field.size();
  sha256.Update(std::as_bytes(std::span(&size, 1)));
  sha256.Update(field);
}

// "cuda" of "cuda:1".
std::string_view KindOf(std::string_view device) { return device.substr(0, device.find(':')); }

using Piece = std::span<const std::byte>;

// The digest of the digests of pieces, which several threads make.
Sha256::Digest DigestOf(const std::vector<Piece>& pieces) {
  std::vector<Sha256::Digest> digests(pieces.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < pieces.size(); i = next++) {
      Sha256 sha256;
      sha256.Update(pieces[i]);
      digests[i] = sha256.Finish();
    }
  };
  std::vector<std::future<void>> helpers;  // whose destructors wait
  for (int i = 1; i < AvailableCpus(); ++i) helpers.push_back(std::async(std::launch::async, work));
  work();
  helpers.clear();
  Sha256 sha256;
  for (const Sha256::Digest& digest : digests) sha256.Update(digest);
  return sha256.Finish();
}

}  // namespace

Sha256::Digest NewIdentity() {
  // Never the same in another process either: what is put into a store that turns out to be shared
  // is found by nobody.
  static const auto process = [] {
    std::random_device random;
    std::vector<uint32_t> numbers(8);
    std::generate(numbers.begin(), numbers.end(), std::ref(random));
    return numbers;
  }();
  static std::atomic<uint64_t> models = 0;
  const uint64_t model = models++;
  Sha256 sha256;
  sha256.Update(kFormat);
  sha256.Update(std::as_bytes(std::span(process)));
  sha256.Update(std::as_bytes(std::span(&model, 1)));
  return sha256.Finish();
}

Sha256::Digest SharedIdentity(const ModelOrigin& origin,
                              std::span<const std::shared_ptr<Backend>> backends,
                              const Session& session) {
  if (origin.digest.empty()) return NewIdentity();
  // Of which one computes is no matter, nor of how many.
  std::set<std::string> devices;
  for (const auto& backend : backends) {
    devices.insert(std::string(KindOf(backend->device())) + '\n' + backend->numerics());
  }
  Sha256 sha256;
  for (const std::string_view field :
       {kFormat, kBuild, session.dtype(), std::string_view(origin.digest),
        std::string_view(origin.pooling)}) {
    Add(field, sha256);
  }
  for (const std::string& device : devices) Add(device, sha256);
  if (!origin.route.empty()) Add(origin.route, sha256);
  constexpr size_t kPieceBytes = size_t{16} << 20;
  std::vector<Piece> pieces;
  for (const TensorStore* const store : origin.weights) {
    for (const auto& [name, tensor] : store->tensors()) {
      Add(name, sha256);
      Add(DTypeName(tensor.dtype), sha256);
      for (const int64_t size : tensor.shape) Add(std::to_string(size), sha256);
      for (Piece left = tensor.bytes; !left.empty();) {
        pieces.push_back(left.first(std::min(kPieceBytes, left.size())));
        left = left.subspan(pieces.back().size());
      }
    }
  }
  sha256.Update(DigestOf(pieces));
  return sha256.Finish();
}

}  // namespace embedding
