// Which cell lies behind each facet.
#pragma once

#include <cstdint>
#include <vector>

#include "topes/held.hpp"

namespace topes {

/// The dual graph of the arrangement in compressed sparse row form: crossing facets[k] from its cell leads to cells[k].
struct Neighbors {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int64_t> facets;  ///< the row that names the hyperplane, ascending in each cell
  std::vector<std::int64_t> cells;
};

/// Cells are numbered as in unpack_cells(). Patterns are looked up by a hash that a facet changes in O(1), and compared.
Neighbors find_neighbors(const Arrangement& arrangement, const HeldCells& held, const WalkOptions& options);

}  // namespace topes
