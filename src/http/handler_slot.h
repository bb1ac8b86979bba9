// HandlerSlot: memory for one asynchronous operation at a time, so that starting it can't fail.
//
// Asio allocates memory for every operation that is started or posted, through the allocator that
// its handler names (asio's "custom memory allocation"). What must go on when memory runs out, the
// loop that accepts connections and the handing over of an answer from another thread, names a slot
// of its own. An operation that finds the slot taken, or too small, takes memory as any other does.
//
// Thread-safety: an operation may be started on one thread and end on another.
#pragma once

#include <atomic>
#include <cstddef>
#include <new>
#include <utility>

namespace embedding::http {

class HandlerSlot {
 public:
  HandlerSlot() = default;
  HandlerSlot(const HandlerSlot&) = delete;
  HandlerSlot& operator=(const HandlerSlot&) = delete;

  void* Allocate(size_t bytes) {
    if (bytes > sizeof(memory_) || taken_.test_and_set()) return ::operator new(bytes);
    return memory_;
  }
  void Deallocate(void* memory) {
    if (memory == memory_) {
      taken_.clear();
    } else {
      ::operator delete(memory);
    }
  }

 private:
  static constexpr size_t kBytes = 256;  // Asio's operations with a handler of ours are below 150

  alignas(std::max_align_t) std::byte memory_[kBytes];
  std::atomic_flag taken_;
};

template <typename T>
class SlotAllocator {
 public:
  using value_type = T;
  explicit SlotAllocator(HandlerSlot& slot) : slot_(&slot) {}
  template <typename U>
  SlotAllocator(const SlotAllocator<U>& other) : slot_(other.slot_) {}

  T* allocate(size_t n) { return static_cast<T*>(slot_->Allocate(n * sizeof(T))); }
  void deallocate(T* p, size_t /*n*/) { slot_->Deallocate(p); }
  friend bool operator==(const SlotAllocator& a, const SlotAllocator& b) {
    return a.slot_ == b.slot_;
  }

 private:
  template <typename>
  friend class SlotAllocator;

  HandlerSlot* slot_;
};

// `handler` with its memory in `slot`, which must outlive the operation.
template <typename Handler>
class InSlot {
 public:
  using allocator_type = SlotAllocator<void>;
  InSlot(HandlerSlot& slot, Handler handler) : slot_(&slot), handler_(std::move(handler)) {}

  allocator_type get_allocator() const { return allocator_type(*slot_); }
  template <typename... Arguments>
  void operator()(Arguments&&... arguments) {
    handler_(std::forward<Arguments>(arguments)...);
  }

 private:
  HandlerSlot* slot_;
  Handler handler_;
};

}  // namespace embedding::http
