// EngineObserver: who wants to know what the engine does, for its metrics.
#pragma once

#include <cstddef>

namespace embedding {

// Called from any thread, of an Embedder's, while work waits for it: cheap.
class EngineObserver {
 public:
  virtual ~EngineObserver() = default;

  // A text of so many tokens was tokenised, to be looked up and computed.
  virtual void OnText(size_t tokens) noexcept = 0;
  // A batch of so many texts, with so many tokens together, is about to be computed.
  virtual void OnBatch(size_t texts, size_t tokens) noexcept = 0;
  // Texts that wait.
  virtual void OnQueue(size_t texts) noexcept = 0;
};

}  // namespace embedding
