// Extreme rays of cones as the walk holds them, and the minors that give a ray from the hyperplanes it lies on.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace topes {

/// A ray: its coordinates follow the header in memory.
struct Ray {
  double tolerance;    ///< a computed dot product with a hyperplane beyond this has the true sign
  double error;        ///< bound on the error of each coordinate, up to one positive factor common to all
  std::int64_t exact;  ///< where its exact coordinates are kept, if they have been computed; -1 if not

  double* coordinates() { return reinterpret_cast<double*>(this + 1); }
  const double* coordinates() const { return reinterpret_cast<const double*>(this + 1); }
};

/// Dot product of r numbers, in order; r is known at compile time where R > 0.
template <int R>
inline double dot(const double* a, const double* b, [[maybe_unused]] int r) {
  double sum = a[0] * b[0];
  if constexpr (R > 0) {
    for (int j = 1; j < R; ++j) sum += a[j] * b[j];
  } else {
    for (int j = 1; j < r; ++j) sum += a[j] * b[j];
  }
  return sum;
}

namespace detail {

// One product of the Laplace expansion: minor[target] +-= rows[row][column] * minor[source], subsets as bit masks.
struct MinorStep {
  int target, row, column, source;
  bool negative, first;
};

template <int R>
constexpr int minor_steps() {
  int count = 0;
  for (int s = 1; s < (1 << R); ++s) {
    const int k = std::popcount(static_cast<unsigned>(s));
    if (k >= 2 && k < R) count += k;
  }
  return count;
}

template <int R>
constexpr auto make_minor_plan() {
  std::array<MinorStep, static_cast<std::size_t>(minor_steps<R>())> plan{};
  std::size_t at = 0;
  for (int k = 2; k < R; ++k) {
    for (int s = 1; s < (1 << R); ++s) {
      if (std::popcount(static_cast<unsigned>(s)) != k) continue;
      int position = 0;
      for (int j = 0; j < R; ++j) {
        if (((s >> j) & 1) == 0) continue;
        plan[at++] = {s, k - 1, j, s & ~(1 << j), (k - 1 + position) % 2 != 0, position == 0};
        ++position;
      }
    }
  }
  return plan;
}

template <int R>
inline constexpr auto kMinorPlan = make_minor_plan<R>();

template <int R, std::size_t I, class In, class Real>
inline void minor_step(const In* const* rows, Real* minor) {
  constexpr MinorStep s = kMinorPlan<R>[I];
  const Real product = rows[s.row][s.column] * minor[s.source];
  if constexpr (s.first) {
    minor[s.target] = s.negative ? -product : product;
  } else if constexpr (s.negative) {
    minor[s.target] -= product;
  } else {
    minor[s.target] += product;
  }
}

template <int R, class In, class Real, std::size_t... I>
inline void run_minor_plan([[maybe_unused]] const In* const* rows, [[maybe_unused]] Real* minor, std::index_sequence<I...>) {
  (minor_step<R, I>(rows, minor), ...);
}

}  // namespace detail

/// The largest rank for which rays are computed as minors: beyond it Laplace expansion costs more than combining rays.
inline constexpr int kLargestMinorRank = 7;

/// A vector orthogonal to R - 1 rows: their signed maximal minors, each a Laplace expansion row after row.
/// \tparam Real  what is computed with: at least as wide as the rows
template <int R, class In, class Real>
inline void maximal_minors(const In* const* rows, Real* out) {
  static_assert(R >= 2 && R <= kLargestMinorRank);
  std::array<Real, std::size_t{1} << R> minor;
  for (int j = 0; j < R; ++j) minor[std::size_t{1} << j] = rows[0][j];
  detail::run_minor_plan<R>(rows, minor.data(), std::make_index_sequence<detail::kMinorPlan<R>.size()>{});
  constexpr std::size_t all = (std::size_t{1} << R) - 1;
  for (int j = 0; j < R; ++j) {
    const Real m = minor[all & ~(std::size_t{1} << j)];
    out[j] = j % 2 != 0 ? -m : m;
  }
}

}  // namespace topes
