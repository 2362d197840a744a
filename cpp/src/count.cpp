#include "topes/count.hpp"

#include <array>
#include <cmath>

#include "topes/error.hpp"
#include "topes/random.hpp"

namespace topes {

namespace {

struct CountVisitor {
  static constexpr bool kNeedsSigns = false;
  static constexpr bool kNeedsCones = false;
  static constexpr bool kCountsOnly = true;

  Control& control;
  std::uint64_t per_leaf;
  std::uint64_t pending = 0;

  bool enter(const Node&) const { return true; }
  void leaves(std::uint64_t k) {
    constexpr std::uint64_t kReportEvery = 1 << 12;  // cells, between two updates of the shared count
    pending += k;
    if (pending >= kReportEvery) report();
  }
  void report() {
    control.add_cells(pending * per_leaf);
    pending = 0;
  }
};

// One descent: the product of the inverse probabilities of its turns estimates the number of leaves.
template <int R>
double dive(const Arrangement& a, ConeSplitter<R>& splitter, SplitMix64& random) {
  splitter.rewind(Node{});
  const int bits = a.rank() - 1;
  const std::uint64_t root = bits == 0 ? 0 : random() >> (64 - bits);
  double inverse = std::ldexp(1.0, bits);
  Node node = splitter.root(root);
  while (node.n_list > 1) {
    splitter.split(node);
    const double pos = most_cells(splitter.child_list_size(+1), a.rank());
    const double neg = most_cells(splitter.child_list_size(-1), a.rank());
    const bool go_pos = random.uniform() * (pos + neg) < pos;
    inverse *= (pos + neg) / (go_pos ? pos : neg);
    node = splitter.child(node, go_pos ? 1 : -1, true);
  }
  return inverse * (node.n_list + 1);
}

}  // namespace

CountResult count_cells(const Arrangement& arrangement, std::uint64_t max_cells, const WalkOptions& options) {
  Control control;
  control.max_cells = max_cells;
  if (arrangement.rank() == 0) {
    control.add_cells(1);
    return {1, {}};
  }
  const Plan plan = make_plan(arrangement, control, options.hook);
  CountResult result = count_tasks(arrangement, plan, {0, plan.tasks.size()}, max_cells, options);
  result.counters += plan.counters;
  return result;
}

CountResult count_tasks(const Arrangement& arrangement, const Plan& plan, TaskRange range, std::uint64_t max_cells,
                        const WalkOptions& options) {
  CountResult result;
  Control control;
  control.max_cells = max_cells;
  dispatch_rank(arrangement.rank(), [&]<int R>() {
    result.counters = walk_tasks<R, CountVisitor>(
        arrangement, plan, range, control, options,
        [&](std::size_t, auto&) { return CountVisitor{control, cells_per_leaf(arrangement)}; },
        [](std::size_t, CountVisitor& visitor) { visitor.report(); });
  });
  result.n_cells = control.cells;
  return result;
}

CountEstimate estimate_count(const Arrangement& arrangement, std::uint64_t n_dives, std::uint64_t seed,
                             const ProgressHook& hook) {
  if (arrangement.rank() == 0) return {1, 0};
  if (arrangement.rank() > 64) throw CellLimit(~std::uint64_t{0});
  SplitMix64 random(seed);
  Control control;
  double mean = 0;
  double squares = 0;  // Welford's running sum of squared deviations
  const auto work = [&]<int R>() {
    ConeSplitter<R> splitter(arrangement, control);
    for (std::uint64_t i = 0; i < n_dives; ++i) {
      control.poll();
      const double x = dive(arrangement, splitter, random);
      const double delta = x - mean;
      mean += delta / static_cast<double>(i + 1);
      squares += delta * (x - mean);
    }
  };
  // On a thread of its own, so that the hook is heard during a dive.
  run_tasks(std::array{1.0}, 1, control, hook,
            [&](std::size_t, unsigned) { dispatch_rank(arrangement.rank(), work); });
  const auto per_leaf = static_cast<double>(cells_per_leaf(arrangement));
  const auto n = static_cast<double>(n_dives);
  return {per_leaf * mean, per_leaf * std::sqrt(squares / (n - 1) / n)};
}

}  // namespace topes
