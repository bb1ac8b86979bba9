// AlignedBuffer<T>: an owner of uninitialised, cache-line-aligned memory for numbers.
//
// Unlike std::vector it does not write to what it allocates (a batch's hidden states are megabytes
// that the first kernel overwrites anyway), and it only ever grows. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <type_traits>

namespace embedding {

inline constexpr size_t kCacheLineBytes = 64;

// Uninitialised memory to be given back by std::free. Throws std::bad_alloc. Where it is large, in
// huge pages if the system has some to give: then what walks through it does not wait for
// addresses.
void* AllocateAligned(size_t bytes);

template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) { Resize(size); }

  // Makes the buffer `size` elements long. The contents are lost when it has to grow, and kept
  // otherwise. Throws std::bad_alloc, which leaves the buffer empty.
  void Resize(size_t size) {
    if (size > capacity_) {
      Release();
      data_.reset(static_cast<T*>(AllocateAligned(size * sizeof(T))));
      capacity_ = size;
    }
    size_ = size;
  }

  // Gives the memory back.
  void Release() {
    data_.reset();
    size_ = capacity_ = 0;
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }
  std::span<T> span() { return {data_.get(), size_}; }
  std::span<const T> span() const { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace embedding
