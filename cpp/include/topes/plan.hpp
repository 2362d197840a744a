// The cell tree cut into subtrees that threads share: the same subtrees whatever the number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "topes/cell_tree.hpp"

namespace topes {

/// Most cells that k hyperplanes can cut a cone of dimension r into: sum of C(k, i) for i < r. Infinity beyond range.
double most_cells(double k, int r);

/// A node with all it needs, in memory of its own.
struct Subtree {
  std::uint32_t n_slots = 0;
  std::uint32_t words = 0;
  std::size_t n_coordinates = 0;
  std::vector<double> rays;  ///< tolerance, error, coordinates of each ray
  std::vector<std::uint64_t> masks;
  std::vector<std::uint64_t> used;
  std::vector<SignedIndex> slots;
  std::vector<std::uint32_t> list;
  PatternBits bits;

  std::size_t n_rays() const { return rays.size() / (n_coordinates + 2); }
};

Subtree save_subtree(const Node& node, const PatternBits& bits, std::size_t n_coordinates);
/// \post the node has nothing left to decide: the bits go to the tree that walks it
Node restore_subtree(const Subtree& subtree, Arena& arena);

/// One share of the walk: a subtree, or a range of root cones.
struct Task {
  std::unique_ptr<Subtree> subtree;
  std::uint64_t first_root = 0;
  std::uint64_t n_roots = 0;
  double weight = 0;
};

struct Plan {
  /// Preorder of the tree above the tasks.
  enum class Mark : std::uint8_t { internal, task };

  std::vector<Task> tasks;
  std::vector<Mark> shape;
  PredicateCounters counters;

  std::vector<double> weights() const;
};

/// \pre arrangement.rank() >= 1. \throws CellLimit if there are more root cones than can be counted.
Plan make_plan(const Arrangement& arrangement, Control& control);

/// Walk one task with the visitor.
template <int R, class Visitor>
void walk_task(const Task& task, CellTree<R, Visitor>& tree, Visitor& visitor) {
  auto& splitter = tree.splitter();
  splitter.rewind(Node{});
  if (task.subtree != nullptr) {
    tree.bits() = task.subtree->bits;
    tree.walk(restore_subtree(*task.subtree, splitter.arena()), visitor);
    return;
  }
  for (std::uint64_t i = 0; i < task.n_roots; ++i) {
    splitter.rewind(Node{});
    tree.walk(splitter.root(task.first_root + i), visitor);
  }
}

struct WalkOptions {
  unsigned n_threads = 0;  ///< 0: all processors
  ProgressHook hook;
};

/// Walk all tasks of the plan on several threads. For each task, in the thread that walks it:
/// `make(task, tree)` gives the visitor, `finish(task, visitor)` takes it back.
template <int R, class Visitor, class Make, class Finish>
PredicateCounters walk_plan(const Arrangement& arrangement, const Plan& plan, Control& control,
                            const WalkOptions& options, Make&& make, Finish&& finish) {
  std::vector<std::unique_ptr<CellTree<R, Visitor>>> trees(thread_count(options.n_threads));
  run_tasks(plan.weights(), options.n_threads, control, options.hook, [&](std::size_t task, unsigned thread) {
    auto& tree = trees[thread];
    if (tree == nullptr) tree = std::make_unique<CellTree<R, Visitor>>(arrangement, control);
    Visitor visitor = make(task, *tree);
    walk_task(plan.tasks[task], *tree, visitor);
    finish(task, visitor);
  });
  PredicateCounters counters = plan.counters;
  for (const auto& tree : trees) {
    if (tree != nullptr) counters += tree->splitter().counters();
  }
  return counters;
}

}  // namespace topes
