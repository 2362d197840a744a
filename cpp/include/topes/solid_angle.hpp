// Solid angles of the cells of a central arrangement: the probabilities that a Gaussian direction falls into each.
//
// An angle is taken in the row space, of dimension r: whatever the cell holds beyond it does not matter. Rank 0: one cell of
// angle 1. Rank 1 to 3 closed forms, rank 4 and 5 nested cubature, rank 6 and more randomly shifted points.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "topes/cells.hpp"
#include "topes/plan.hpp"
#include "topes/solid_angle_part.hpp"

namespace topes {

struct AngleOptions {
  std::uint64_t n_points = 2048;  ///< for each cell, at rank 6 and more
  std::uint64_t seed = 0;         ///< of their shifts
  std::uint64_t max_cells = ~std::uint64_t{0};
  WalkOptions walk;
};

struct AngleCounters {
  std::uint64_t exact_cones = 0;  ///< cones for which rounded rays did not give enough digits
  PredicateCounters predicates;
};

/// Angles of all cells, numbered as in unpack_cells(), and the error of each: a bound (rank up to 3), a conservative
/// estimate (4, 5), or three standard errors (from 6).
struct SolidAngles {
  std::vector<double> angles;
  std::vector<double> errors;
  AngleCounters counters;
};

/// \throws InvalidArgument if the arrangement is affine; CellLimit beyond max_cells
SolidAngles solid_angles(const Arrangement& arrangement, const AngleOptions& options);

/// Bins of log10(angle) of equal width: bin k is [first + k, first + k + 1) / kBinsPerDecade.
struct AngleSummary {
  static constexpr int kBinsPerDecade = 10;
  std::uint64_t n_cells = 0;
  double sum = 0;
  double error = 0;  ///< sum of the errors of all cells: bounds that of the sum
  AngledCell least;  ///< the first of them in the order of the cells
  AngledCell greatest;
  std::int64_t first_bin = 0;
  std::vector<std::int64_t> bins;
  AngleCounters counters;
};

/// What the angles are like, in memory that does not grow with the number of cells.
AngleSummary summarise_angles(const Arrangement& arrangement, const AngleOptions& options);

/// Some tasks of a plan, one part each. The counters leave out the plan's own.
struct AngleParts {
  std::vector<AnglePart> parts;
  PredicateCounters counters;
};

/// \pre arrangement.rank() >= 2, the plan is of this arrangement. \throws as solid_angles()
AngleParts angle_parts(const Arrangement& arrangement, const Plan& plan, TaskRange range, const AngleOptions& options);

/// The parts of all tasks, in the order of the plan: summarise_angles() of a plan of default size, to the last bit. The
/// predicates are not counted.
AngleSummary summarise_parts(const Arrangement& arrangement, std::span<const AnglePart> parts);

/// The cell with this packed pattern, from its exact rays; nothing if no cell has it.
std::optional<AngledCell> angle_of_cell(const Arrangement& arrangement, std::span<const std::uint8_t> packed,
                                        const AngleOptions& options);

}  // namespace topes
