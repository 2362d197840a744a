// Small dense problems of the descent: Cholesky's factor, lengths that stay positive, slopes between 0 and 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace topes {

/// A symmetric matrix by rows, its lower triangle in use.
struct SymmetricMatrix {
  std::size_t size = 0;
  std::vector<double> entries;

  explicit SymmetricMatrix(std::size_t n = 0) : size(n), entries(n * n) {}
  double& at(std::size_t i, std::size_t j) { return entries[i * size + j]; }
  double at(std::size_t i, std::size_t j) const { return entries[i * size + j]; }
};

/// Turns the lower triangle into Cholesky's factor in place; false where it is not positive definite.
bool cholesky(SymmetricMatrix& A);
/// b becomes the solution of L L' x = b.
void cholesky_solve(const SymmetricMatrix& L, std::span<double> b);

/// The minimum of x'G x / 2 - b'x over x >= 0 by the active set method of [LawsonHanson74], begun at x; the last `n_free` entries may
/// have any sign. False where it did not get there.
/// \pre x >= 0 but for the free entries
bool least_lengths(const SymmetricMatrix& G, std::span<const double> b, std::size_t n_free, std::vector<double>& x);

/// The minimum of ||B s - c||_2 over 0 <= s <= 1 by the active set method of [StarkParker95].
/// \param B  columns of dimension r, one behind the other
struct BoundedSlopes {
  std::vector<double> s;
  double residual = 0;
};
BoundedSlopes bounded_slopes(std::span<const double> B, std::span<const double> c);

/// The shortest x of least ||B x - c||_2 for columns of dimension r; those that depend on earlier ones get 0.
std::vector<double> least_squares(std::span<const double> B, std::span<const double> c);

}  // namespace topes
