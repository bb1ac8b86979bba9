// Memory that runs out at any one place: every allocation that a request makes fails in turn, and a
// few after it. Only that request, or its connection, may be lost: its client gets an answer or a
// close, and the next one is served.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "api/service.h"
#include "embedding/engine.h"
#include "http/client.h"
#include "http/server.h"
#include "http/worker_pool.h"
#include "test_data.h"

namespace {

// Allocations still to succeed, of all threads but the test's own; those after it fail as long as
// `failures` lasts.
std::atomic<long> allocations_left{-1};
std::atomic<long> failures_left{0};
std::atomic<size_t> allocations{0};
thread_local bool is_tests_own = false;

bool Fails() {
  if (is_tests_own) return false;
  ++allocations;
  if (failures_left.load() <= 0) return false;
  if (allocations_left.load() > 0 && --allocations_left >= 0) return false;
  return --failures_left >= 0;
}

void* Allocate(size_t size) {
  if (Fails()) return nullptr;
  return std::malloc(size == 0 ? 1 : size);
}

void* AllocateOrThrow(size_t size) {
  void* const memory = Allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// In place of the library's, for this whole program.
void* operator new(size_t size) { return AllocateOrThrow(size); }
void* operator new[](size_t size) { return AllocateOrThrow(size); }
void* operator new(size_t size, const std::nothrow_t& /*tag*/) noexcept { return Allocate(size); }
void* operator new[](size_t size, const std::nothrow_t& /*tag*/) noexcept { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t /*size*/) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t& /*tag*/) noexcept { std::free(memory); }
extern "C" void* aligned_alloc(size_t alignment, size_t size) {
  void* memory = nullptr;
  if (Fails() || ::posix_memalign(&memory, alignment, size) != 0) return nullptr;
  return memory;
}

namespace embedding::http {
namespace {

std::string Get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
}

std::string Post(const std::string& target, const std::string& body,
                 const std::string& headers = "Connection: close\r\n") {
  return "POST " + target + " HTTP/1.1\r\nHost: h\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::pair<const char*, std::string> kRequests[] = {
    {"Health", Get("/health")},
    {"Metrics", Get("/metrics")},
    {"Head", "HEAD /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"},
    {"NotFound", Get("/nowhere")},
    {"NotHttp", "nonsense\r\n\r\n"},
    {"NotJson", Post("/embed", "{")},
    {"Info", Get("/info")},
    {"Embed", Post("/embed", R"({"texts":["one","two","three"]})")},
    {"AllHeads", Post("/embed", R"({"texts":["one","two"],"return_sparse":true,)"
                                R"("return_colbert_vecs":true})")},
    {"Long", Post("/embed", R"({"texts":["one"])" + std::string(20'000, ' ') + "}")},
    {"Chunked",
     "POST /embed HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: "
     "chunked\r\n\r\n11\r\n{\"texts\":[\"one\"]}\r\n0\r\n\r\n"},
    {"Expect",
     Post("/embed", R"({"texts":["one"]})", "Connection: close\r\nExpect: 100-continue\r\n")},
    {"EmbedAll", Post("/embed_all", R"({"inputs":["one","two"]})")},
    {"EmbedSparse", Post("/embed_sparse", R"({"inputs":"one"})")},
    {"Rerank", Post("/rerank", R"({"query":"one","texts":["two","three"],"return_text":true})")},
    {"Hybrid", Post("/v1/rerank", R"({"query":"one","documents":["two"],"mode":"hybrid"})")},
    {"Similarity",
     Post("/similarity", R"({"inputs":{"source_sentence":"one","sentences":["two"]}})")},
    {"Tokenize", Post("/tokenize", R"({"inputs":"one"})")},
    {"OpenAi", Post("/v1/embeddings", R"({"input":["one"],"encoding_format":"base64"})")},
    {"Ollama", Post("/api/embed", R"({"model":"m","input":["one"]})")},
    {"Pipelined", Post("/embed", R"({"texts":["one"]})", "") + Get("/health")},
};

// A store that keeps what it is given and never finds it: every text is looked up, computed and
// put.
class Forgetful final : public ResultStore {
 public:
  void Find(std::span<const ResultKey> /*keys*/,
            std::span<StoredResult> /*found*/) noexcept override {}
  void Put(const ResultKey& key, std::span<const std::byte> result) noexcept override {
    store_->Put(key, result);
  }
  bool is_shared() const override { return false; }
  std::vector<ResultStoreStats> stats() const override { return store_->stats(); }

 private:
  const std::shared_ptr<ResultStore> store_ = MakeMemoryStore(100'000);
};

enum Cache { kWithout, kFinding, kLosing };

struct Param {
  std::string name;
  std::string request;
  Cache cache = kWithout;
};

class AllocationTest : public testing::TestWithParam<Param> {
 protected:
  static void SetUpTestSuite() {
    spdlog::set_level(spdlog::level::off);
    running_[kWithout] = std::make_unique<Running>(nullptr);
    running_[kFinding] = std::make_unique<Running>(MakeMemoryStore(1'000'000));
    running_[kLosing] = std::make_unique<Running>(std::make_shared<Forgetful>());
  }
  static void TearDownTestSuite() {
    for (auto& running : running_) running.reset();
    spdlog::set_level(spdlog::level::info);
  }

  // All that the server says to `request` until it closes.
  static std::string Exchange(const std::string& request) {
    Client client(running_[GetParam().cache]->port);
    client.Send(request);
    return client.ReadAll();
  }

  struct Running {
    explicit Running(std::shared_ptr<ResultStore> store) : cache(std::move(store)) {
      service.Start({embedder.get()});
      thread = std::thread([this] { status = server->Run(); });
    }
    ~Running() {
      server->Stop();
      thread.join();
      EXPECT_TRUE(status.ok()) << status.error().message;  // no connection is left
    }

    const std::shared_ptr<ResultStore> cache;
    std::unique_ptr<Server> server;
    WorkerPool workers{2};
    api::Service service{{.model_name = "m", .cache = cache.get()},
                         [this](std::function<void()> task) { workers.Post(std::move(task)); }};
    const bool listens = [this] {
      server = *Server::Listen(
          {.port = 0},
          {.handler = service.handler(), .word = [this](const auto& refusal, const auto& request) {
             return service.Word(refusal, request);
           }});
      return true;
    }();
    const uint16_t port = PortOf(*server);
    std::unique_ptr<Embedder> embedder =
        *Embedder::Load({.model_directory = TestData("tiny-bge-m3"),
                         .compute_type = ComputeType::kF32,
                         .device = {.threads = 2},
                         .cache = cache});
    Status status;
    std::thread thread;
  };

  static std::array<std::unique_ptr<Running>, 3> running_;  // by Cache
};

std::array<std::unique_ptr<AllocationTest::Running>, 3> AllocationTest::running_;

TEST_P(AllocationTest, CostsNoMoreThanTheRequest) {
  is_tests_own = true;
  const std::string request = GetParam().request;
  (void)Exchange(request);  // what is allocated once is there
  const size_t before = allocations;
  const std::string expected = Exchange(request);
  const size_t count = allocations - before;
  ASSERT_GT(count, 0U);
  const std::string_view status = std::string_view(expected).substr(0, 12);
  const std::string probe = Post("/embed", R"({"texts":["probe"]})");
  for (const long burst : {1L, 3L}) {
    for (size_t n = 0; n < count + 5; ++n) {
      allocations_left = static_cast<long>(n);
      failures_left = burst;
      const std::string answer = Exchange(request);
      failures_left = 0;
      EXPECT_TRUE(answer.empty() || answer.starts_with(status) ||
                  answer.starts_with("HTTP/1.1 500 ") || answer.starts_with("HTTP/1.1 503 "))
          << "allocation " << n << ": " << answer;
      const std::string next = Exchange(probe);
      ASSERT_TRUE(next.starts_with("HTTP/1.1 200 ")) << "after allocation " << n << ": " << next;
    }
  }
}

// All of them without a cache, and with one those of the model.
std::vector<Param> Params() {
  std::vector<Param> params;
  for (const auto& [name, request] : kRequests) params.push_back({name, request});
  for (const char* of_model : {"Embed", "AllHeads", "Rerank", "OpenAi", "Metrics"}) {
    const auto* const found =
        std::find_if(std::begin(kRequests), std::end(kRequests),
                     [&](const auto& each) { return std::string_view(each.first) == of_model; });
    params.push_back({std::string(of_model) + "Cached", found->second, kFinding});
    params.push_back({std::string(of_model) + "Stored", found->second, kLosing});
  }
  return params;
}

INSTANTIATE_TEST_SUITE_P(Of, AllocationTest, testing::ValuesIn(Params()),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace embedding::http
