// The cell tree: one depth-first walk, and what a visitor may ask of it.
//
// A visitor is a class with these members:
//   static constexpr bool kNeedsSigns   leaf() reads the walk's pattern bits
//   static constexpr bool kNeedsCones   leaf() and enter() read the node's cone
//   static constexpr bool kCountsOnly   leaves(k) replaces leaf() and order does not matter
//   bool enter(const Node&)             false prunes the subtree; called for every node that some hyperplane cuts
//   void leaf(const Node&)              a cell
//   void split(n_neg, n_pos)            if there: how many hyperplanes cut the children of the node that was entered last
#pragma once

#include <cstdint>
#include <vector>

#include "topes/cone_split.hpp"
#include "topes/progress.hpp"

namespace topes {

template <int R, class Visitor>
class CellTree {
 public:
  CellTree(const Arrangement& arrangement, Control& control)
      : a_(arrangement), control_(control), splitter_(arrangement, control), bits_(arrangement.initial_bits()) {}

  ConeSplitter<R>& splitter() { return splitter_; }
  /// Pattern of the cell at hand: one bit per row of the data.
  const PatternBits& bits() const { return bits_; }
  PatternBits& bits() { return bits_; }

  /// Visit every cell of the node's cone, the positive side of each hyperplane before the negative.
  void walk(const Node& root, Visitor& visitor) {
    const std::size_t floor = stack_.size();
    stack_.push_back(root);
    while (stack_.size() > floor) {
      const Node node = stack_.back();
      stack_.pop_back();
      splitter_.rewind(node);
      descend(node, visitor);
    }
  }

  void apply(const Node& node) {
    for (std::uint32_t i = 0; i < node.n_decided; ++i) set(node.decided[i].index(), !node.decided[i].negative());
  }

 private:
  void set(std::uint32_t hyperplane, bool positive) {
    for (const SignedIndex row : a_.group(hyperplane)) bits_.set(row.index(), positive != row.negative());
  }

  // Follow the positive children down, leaving the negative ones on the stack.
  void descend(Node node, Visitor& visitor) {
    for (;;) {
      control_.poll();
      if constexpr (Visitor::kNeedsSigns) apply(node);
      if (node.n_list == 0) {
        leaf(node, visitor);
        return;
      }
      if (!visitor.enter(node)) return;
      if (node.n_list == 1 && !Visitor::kNeedsCones) {
        two_leaves(node, visitor);
        return;
      }
      splitter_.split(node);
      const std::uint32_t n_neg = splitter_.child_list_size(-1);
      const std::uint32_t n_pos = splitter_.child_list_size(+1);
      if constexpr (requires { visitor.split(n_neg, n_pos); }) visitor.split(n_neg, n_pos);
      if constexpr (Visitor::kCountsOnly) {
        // A child that at most one hyperplane cuts needs no node: it has one cell more than hyperplanes.
        if (n_neg <= 1) visitor.leaves(n_neg + 1);
        if (n_pos <= 1) visitor.leaves(n_pos + 1);
        if (n_neg > 1) stack_.push_back(splitter_.child(node, -1, true));
        if (n_pos <= 1) return;
      } else {
        stack_.push_back(splitter_.child(node, -1, Visitor::kNeedsCones || n_neg > 1));
      }
      node = splitter_.child(node, +1, Visitor::kNeedsCones || n_pos > 1);
    }
  }

  void leaf(const Node& node, Visitor& visitor) {
    if constexpr (Visitor::kCountsOnly) {
      visitor.leaves(1);
    } else {
      visitor.leaf(node);
    }
  }

  void two_leaves(const Node& node, Visitor& visitor) {
    if constexpr (Visitor::kCountsOnly) {
      visitor.leaves(2);
    } else {
      Node cell = node;
      cell.n_list = 0;
      for (const bool positive : {true, false}) {
        if constexpr (Visitor::kNeedsSigns) set(node.list[0], positive);
        visitor.leaf(cell);
      }
    }
  }

  const Arrangement& a_;
  Control& control_;
  ConeSplitter<R> splitter_;
  PatternBits bits_;
  std::vector<Node> stack_;
};

/// The largest rank with code of its own; higher ranks share one that takes the rank at run time.
inline constexpr int kLargestFixedRank = 7;

/// Calls f.template operator()<R>() with R the rank, or 0 for a rank without code of its own.
template <class F>
decltype(auto) dispatch_rank(int rank, F&& f) {
  switch (rank) {
    case 2: return f.template operator()<2>();
    case 3: return f.template operator()<3>();
    case 4: return f.template operator()<4>();
    case 5: return f.template operator()<5>();
    case 6: return f.template operator()<6>();
    case 7: return f.template operator()<7>();
    default: return f.template operator()<0>();
  }
}

}  // namespace topes
