// The floating-point filter: how far a computed dot product of a hyperplane and a ray can be from the true one.
//
// Hyperplanes reach the filter with entries of absolute value at most 1, each within `row_error` of the true
// number. A ray is either a vector of minors of r - 1 such rows (a fixed bound serves all of them), or has a bound of
// its own. Beyond the bound the computed sign is the true sign; within it the caller asks exact arithmetic.
#pragma once

#include <cstdint>
#include <vector>

namespace topes {

/// Unit roundoff of double: half the distance from 1 to the next number.
inline constexpr double kRoundoff = 0x1p-53;

/// How much work the predicates did; sums over threads.
struct PredicateCounters {
  std::uint64_t signs = 0;        ///< signs of a hyperplane at a ray
  std::uint64_t exact_signs = 0;  ///< of these, decided by exact arithmetic
  std::uint64_t exact_rays = 0;   ///< rays computed exactly
  PredicateCounters& operator+=(const PredicateCounters& o) {
    signs += o.signs;
    exact_signs += o.exact_signs;
    exact_rays += o.exact_rays;
    return *this;
  }
};

class FilterBounds {
 public:
  /// \param rank       number of coordinates, at least 1
  /// \param row_error  absolute error of each hyperplane entry, 0 where the doubles are exact
  FilterBounds(int rank, double row_error);

  double row_error() const { return row_error_; }
  /// Bound on the error of one coordinate of a vector of minors computed by Laplace expansion, row after row.
  double minor_error() const { return minor_error_; }
  /// Bound on the error of a hyperplane's dot product with such a vector.
  double minor_dot_error() const { return dot_error(minor_error_, minor_size_); }
  /// Bound on the error of a hyperplane's dot product with a vector of entries at most `size`, each within `error`.
  double dot_error(double error, double size) const {
    const double r = rank_;
    return kSlack * r * (error + row_error_ * (size + error) + (r + 1.0) * kRoundoff * (size + error)) + kUnderflow;
  }

 private:
  // Covers the roundings made while the bounds themselves are computed, and products that underflow.
  static constexpr double kSlack = 1.0 + 0x1p-20;
  static constexpr double kUnderflow = 0x1p-1000;
  int rank_;
  double row_error_;
  double minor_error_;
  double minor_size_;
};

}  // namespace topes
