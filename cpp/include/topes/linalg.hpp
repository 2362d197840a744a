// Exact linear algebra over the integers: rank, pivot columns, kernels.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "topes/exact.hpp"

namespace topes {

/// Rows and columns of a largest non-singular submatrix.
struct RankProfile {
  std::vector<std::size_t> rows;  ///< in the order scanned
  std::vector<std::size_t> cols;  ///< ascending
  std::size_t rank() const { return rows.size(); }
};

/// Exact rank of the matrix. Rows are scanned in the order given and kept greedily.
/// Elimination modulo a prime proposes, which proves independence; dependence is proved by an exact kernel.
RankProfile rank_profile(const IntegerMatrix& a);

/// A basis of {w : a w = 0} as primitive integer rows, by fraction-free elimination [Bareiss68].
IntegerMatrix kernel(const IntegerMatrix& a);

/// The primitive integer vector that spans the kernel of `a`.
/// \pre rank a = a.cols - 1.
std::vector<Integer> kernel_line(const IntegerMatrix& a);

/// Rows of the adjugate's transpose, made primitive: row k is orthogonal to every row of `a` but row k, where
/// the product is positive.
/// \pre `a` is square and non-singular.
IntegerMatrix dual_basis(const IntegerMatrix& a);

}  // namespace topes
