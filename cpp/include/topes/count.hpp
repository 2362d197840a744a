// Visitors that count.
#pragma once

#include <cstdint>

#include "topes/arrangement.hpp"
#include "topes/plan.hpp"

namespace topes {

/// Cells in all for each one the walk finds: 2 for a central arrangement of positive rank, which is walked on one side.
inline std::uint64_t cells_per_leaf(const Arrangement& a) { return a.affine() || a.rank() == 0 ? 1 : 2; }

struct CountResult {
  std::uint64_t n_cells = 0;
  PredicateCounters counters;
};

/// The number of cells, exactly, in memory O(depth). Expected time O(n^(r-1)) [EOS86].
/// \throws CellLimit beyond max_cells
CountResult count_cells(const Arrangement& arrangement, std::uint64_t max_cells, const WalkOptions& options);

/// The cells of some tasks of a plan; summed over all tasks they are count_cells(). The counters leave out the plan's own.
/// \pre arrangement.rank() >= 1, the plan is of this arrangement. \throws CellLimit beyond max_cells
CountResult count_tasks(const Arrangement& arrangement, const Plan& plan, TaskRange range, std::uint64_t max_cells,
                        const WalkOptions& options);

struct CountEstimate {
  double mean = 0;
  double standard_error = 0;
};

/// Mean of `n_dives` random descents: unbiased [Knuth75]. A dive takes each child with a probability in proportion to
/// the most cells its conflict list can make, which leaves little variance.
/// \pre n_dives >= 2
CountEstimate estimate_count(const Arrangement& arrangement, std::uint64_t n_dives, std::uint64_t seed,
                             const ProgressHook& hook);

}  // namespace topes
