// Vertices of the zonotope {X'u : u in [0,1]^n}: X'D for each cell.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "topes/held.hpp"

namespace topes {

/// One vertex for each cell, d numbers each, cells numbered as in unpack_cells(). Consecutive cells differ in few rows, so
/// a vertex costs its changed rows. Sums are kept in twice the working precision: each number is within one unit in the last
/// place of X'D, and exact where all partial sums are integers below 2^53.
/// \pre arrangement is central; x holds n * d numbers
std::vector<double> zonotope_vertices(const Arrangement& arrangement, const HeldCells& held, std::span<const double> x,
                                      std::size_t d, const WalkOptions& options);

}  // namespace topes
