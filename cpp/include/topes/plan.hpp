// The cell tree cut into subtrees that threads share: the same subtrees whatever the number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
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

/// How finely a plan is cut. The plan depends on this and the arrangement alone.
struct PlanSize {
  double n_tasks = 512;       ///< about so many: threads end together and progress moves steadily; more would cost copies
  double one_task = 1 << 13;  ///< at most so many cells make one task: below this, threads do not pay
};

/// Tasks [first, last) of a plan.
struct TaskRange {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// \pre arrangement.rank() >= 1. \throws CellLimit if there are more root cones than can be counted.
Plan make_plan(const Arrangement& arrangement, Control& control, const ProgressHook& hook, const PlanSize& size = {});

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

/// Walk some tasks of the plan on several threads. For each task, in the thread that walks it:
/// `make(task, tree)` gives the visitor, `finish(task, visitor)` takes it back.
/// \pre range.first <= range.last <= plan.tasks.size()
template <int R, class Visitor, class Make, class Finish>
PredicateCounters walk_tasks(const Arrangement& arrangement, const Plan& plan, TaskRange range, Control& control,
                             const WalkOptions& options, Make&& make, Finish&& finish) {
  std::vector<std::unique_ptr<CellTree<R, Visitor>>> trees(thread_count(options.n_threads));
  const std::vector<double> all = plan.weights();
  const auto weights = std::span(all).subspan(range.first, range.last - range.first);
  run_tasks(weights, options.n_threads, control, options.hook, [&](std::size_t k, unsigned thread) {
    const std::size_t task = range.first + k;
    auto& tree = trees[thread];
    if (tree == nullptr) tree = std::make_unique<CellTree<R, Visitor>>(arrangement, control);
    Visitor visitor = make(task, *tree);
    walk_task(plan.tasks[task], *tree, visitor);
    finish(task, visitor);
  });
  PredicateCounters counters;
  for (const auto& tree : trees) {
    if (tree != nullptr) counters += tree->splitter().counters();
  }
  return counters;
}

/// The same for all tasks; the counters are those of the plan and the walk.
template <int R, class Visitor, class Make, class Finish>
PredicateCounters walk_plan(const Arrangement& arrangement, const Plan& plan, Control& control,
                            const WalkOptions& options, Make&& make, Finish&& finish) {
  PredicateCounters counters = plan.counters;
  counters += walk_tasks<R, Visitor>(arrangement, plan, {0, plan.tasks.size()}, control, options, std::forward<Make>(make),
                                     std::forward<Finish>(finish));
  return counters;
}

}  // namespace topes
