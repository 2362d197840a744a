// All cells of an arrangement in memory: packed patterns, and the shape of the tree they are the leaves of.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "topes/plan.hpp"

namespace topes {

/// A forest of binary trees in preorder, one bit a node: 1 for a node with two children, 0 for a leaf.
class TreeShape {
 public:
  void push(bool internal) {
    if (size_ % 64 == 0) words_.push_back(0);
    words_.back() |= static_cast<std::uint64_t>(internal) << (size_ % 64);
    ++size_;
  }
  bool internal(std::uint64_t at) const { return ((words_[at / 64] >> (at % 64)) & 1U) != 0; }
  std::uint64_t size() const { return size_; }
  void append(const TreeShape& other, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t at = first; at < last; ++at) push(other.internal(at));
  }

  /// Where the subtree that starts at `at` ends. It has (end - at + 1) / 2 leaves.
  std::uint64_t subtree_end(std::uint64_t at) const {
    for (std::uint64_t open = 1; open > 0; ++at) open += internal(at) ? 1 : std::uint64_t(-1);
    return at;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::uint64_t size_ = 0;
};

/// Rows of equal width in blocks that never move.
class RowBlocks {
 public:
  explicit RowBlocks(std::size_t stride = 0) : stride_(stride) {}
  RowBlocks(RowBlocks&&) = default;
  RowBlocks& operator=(RowBlocks&&) = default;
  std::size_t stride() const { return stride_; }
  std::uint64_t size() const { return size_; }

  /// Memory for one more row, uninitialised.
  std::uint8_t* push() {
    if (blocks_.empty() || blocks_.back().used == blocks_.back().capacity) grow();
    Block& b = blocks_.back();
    ++size_;
    return b.bytes.get() + stride_ * b.used++;
  }
  void append(RowBlocks&& other);
  const std::uint8_t* row(std::uint64_t k) const;

  /// Calls f(first, rows) for the pieces of rows [first, last) that lie together, in order.
  template <class F>
  void for_each_run(std::uint64_t first, std::uint64_t last, F&& f) const {
    for (std::size_t b = block_of(first); first < last; ++b) {
      const std::uint64_t begin = first - blocks_[b].first;
      const std::uint64_t n = std::min(last - first, blocks_[b].used - begin);
      if (n > 0) f(first, std::span<const std::uint8_t>(blocks_[b].bytes.get() + stride_ * begin, stride_ * n));
      first += n;
    }
  }

 private:
  struct Block {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::uint64_t first = 0;
    std::uint64_t used = 0;
    std::uint64_t capacity = 0;
  };
  void grow();
  std::size_t block_of(std::uint64_t k) const;

  std::size_t stride_;
  std::uint64_t size_ = 0;
  std::vector<Block> blocks_;
};

/// The cells the walk finds, in its order: one of each antipodal pair if the arrangement is central.
struct HeldCells {
  RowBlocks rows;  ///< packed patterns
  TreeShape shape;
  PredicateCounters counters;
};

/// \throws CellLimit beyond max_cells, antipodes counted
HeldCells hold_cells(const Arrangement& arrangement, std::uint64_t max_cells, const WalkOptions& options);

/// The cells of `to`, which is `from` and one more row behind its others, from the cells of `from`: the same as hold_cells(to).
/// Only subtrees that the new hyperplane cuts are walked; the others are copied.
/// \pre both have the same rank and seed, and `to` was made with `first_inserted` at most the number of rows of `from`
HeldCells insert_row(const Arrangement& from, const HeldCells& held, const Arrangement& to, std::uint64_t max_cells,
                     const ProgressHook& hook);

/// Both cells of every pair (central) or the cell (affine), unpacked: rows [first, last) of the whole list, out.size() = (last -
/// first) * n. A zero row gets `zero`.
void unpack_cells(const Arrangement& arrangement, const HeldCells& held, std::uint64_t first, std::uint64_t last,
                  std::uint8_t positive, std::uint8_t negative, std::uint8_t zero, std::span<std::uint8_t> out,
                  const WalkOptions& options);

}  // namespace topes
