// Stack memory for the walk: allocation is a pointer bump, release is a reset to a mark.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace topes {

class Arena {
 public:
  struct Mark {
    std::uint32_t chunk = 0;
    std::uint32_t used = 0;  // in units of kAlign
  };

  /// \param chunk_bytes  what is taken from the system at a time; the default is small enough to stay in cache
  explicit Arena(std::size_t chunk_bytes = std::size_t{1} << 16) : chunk_units_(static_cast<std::uint32_t>(chunk_bytes / kAlign)) {}

  /// Uninitialised memory for n objects; lives until a reset to an earlier mark.
  template <class T>
  T* allocate(std::size_t n) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kAlign);
    return static_cast<T*>(bytes(n * sizeof(T)));
  }
  void* bytes(std::size_t n) {
    const auto units = static_cast<std::uint32_t>((n + kAlign - 1) / kAlign);
    if (chunks_.empty() || top_.used + units > chunks_[top_.chunk].units) next_chunk(units);
    std::byte* p = chunks_[top_.chunk].memory.get() + static_cast<std::size_t>(top_.used) * kAlign;
    top_.used += units;
    return p;
  }
  Mark mark() const { return top_; }
  void reset(Mark m) { top_ = m; }

 private:
  static constexpr std::size_t kAlign = 16;
  struct Chunk {
    std::unique_ptr<std::byte[]> memory;
    std::uint32_t units = 0;
  };

  void next_chunk(std::uint32_t units) {
    const std::uint32_t index = chunks_.empty() ? 0 : top_.chunk + 1;
    const std::uint32_t size = units > chunk_units_ ? units : chunk_units_;
    if (index == chunks_.size()) chunks_.emplace_back();
    if (chunks_[index].units < size) {
      chunks_[index].memory.reset(new std::byte[static_cast<std::size_t>(size) * kAlign]);
      chunks_[index].units = size;
    }
    top_ = {index, 0};
  }

  std::uint32_t chunk_units_;
  std::vector<Chunk> chunks_;
  Mark top_;
};

}  // namespace topes
