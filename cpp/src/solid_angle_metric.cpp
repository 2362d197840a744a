#include "topes/solid_angle_metric.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace topes {

namespace {

IntegerMatrix transposed(const IntegerMatrix& a) {
  IntegerMatrix out(a.cols, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.cols; ++j) out.row(j)[i] = a.row(i)[j];
  }
  return out;
}

// a times the transpose of b.
IntegerMatrix product_of_rows(const IntegerMatrix& a, const IntegerMatrix& b) {
  IntegerMatrix out(a.rows, b.rows);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < b.rows; ++j) out.row(i)[j] = dot(a.row(i), b.row(j));
  }
  return out;
}

IntegerMatrix adjugate(const IntegerMatrix& a) {
  const std::size_t n = a.rows;
  IntegerMatrix out(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      IntegerMatrix minor(n - 1, n - 1);
      for (std::size_t k = 0, to = 0; k < n; ++k) {
        if (k == i) continue;
        for (std::size_t l = 0, at = 0; l < n; ++l) {
          if (l != j) minor.row(to)[at++] = a.row(k)[l];
        }
        ++to;
      }
      const Integer d = determinant(std::move(minor));
      out.row(j)[i] = (i + j) % 2 == 0 ? d : Integer(-d);
    }
  }
  return out;
}

}  // namespace

Integer determinant(IntegerMatrix a) {
  const std::size_t n = a.rows;
  Integer previous = 1;
  bool negative = false;
  for (std::size_t k = 0; k + 1 < n; ++k) {
    std::size_t pivot = k;
    while (pivot < n && a.row(pivot)[k].is_zero()) ++pivot;
    if (pivot == n) return 0;
    if (pivot != k) {
      std::swap_ranges(a.row(k).begin(), a.row(k).end(), a.row(pivot).begin());
      negative = !negative;
    }
    for (std::size_t i = k + 1; i < n; ++i) {
      for (std::size_t j = k + 1; j < n; ++j) {
        a.row(i)[j] = (a.row(i)[j] * a.row(k)[k] - a.row(i)[k] * a.row(k)[j]) / previous;
      }
    }
    previous = a.row(k)[k];
  }
  const Integer last = n == 0 ? Integer(1) : a.row(n - 1)[n - 1];
  return negative ? Integer(-last) : last;
}

ConeMetric::ConeMetric(const Arrangement& a)
    : r_(a.rank()),
      identity_(static_cast<std::size_t>(a.rank()) == a.n_columns()),
      roundings_((r_ + 2) * kRoundoff),
      column_exponent_(static_cast<std::size_t>(a.rank())) {
  const auto r = static_cast<std::size_t>(r_);
  for (std::size_t j = 0; j < r; ++j) column_exponent_[j] = a.column_exponent(j);
  if (!identity_) {
    // With N the basis normals and Y their pivot columns, B = Y^-1 N and K = Y' (N N')^-1 Y.
    const IntegerMatrix& normals = a.basis_normals();
    IntegerMatrix y(r, r);
    for (std::size_t i = 0; i < r; ++i) {
      for (std::size_t j = 0; j < r; ++j) y.row(i)[j] = normals.row(i)[a.pivot_columns()[j]];
    }
    const IntegerMatrix columns = transposed(y);
    k_ = product_of_rows(product_of_rows(columns, adjugate(product_of_rows(normals, normals))), columns);
    make_primitive(k_.entries);
    root_determinant_ = root(to_scaled(determinant(k_)));
  }
  factorise();
}

Integer ConeMetric::inner(std::span<const Integer> c, std::span<const Integer> d) const {
  if (identity_) return dot(c, d);
  Integer sum = 0;
  for (std::size_t i = 0; i < k_.rows; ++i) sum += c[i] * dot(k_.row(i), d);
  return sum;
}

// Elimination without fractions leaves the leading minors p_k on the diagonal, and K = U' D^-1 U with D = p_(k-1) p_k: every
// entry of the Cholesky factor is one rounding away from its true value, however badly conditioned K is.
void ConeMetric::factorise() {
  const auto r = static_cast<std::size_t>(r_);
  std::vector<Scaled> factor(r * r, Scaled{0, 0});
  IntegerMatrix u = k_;
  Integer previous = 1;
  for (std::size_t k = 0; k < r; ++k) {
    if (identity_) {
      factor[k * r + k] = {0.5, 1};
    } else {
      const Integer pivot = u.row(k)[k];
      const Scaled scale = root(to_scaled(previous * pivot));
      for (std::size_t j = k; j < r; ++j) {
        if (!u.row(k)[j].is_zero()) factor[k * r + j] = quotient(to_scaled(u.row(k)[j]), scale);
      }
      for (std::size_t i = k + 1; i < r; ++i) {
        const Integer left = u.row(i)[k];
        for (std::size_t j = k; j < r; ++j) u.row(i)[j] = (u.row(i)[j] * pivot - left * u.row(k)[j]) / previous;
      }
      previous = pivot;
    }
  }
  std::int64_t top = std::numeric_limits<std::int64_t>::min();
  for (std::size_t k = 0; k < r * r; ++k) {
    factor[k].exponent += column_exponent_[k % r];
    if (factor[k].mantissa != 0) top = std::max(top, factor[k].exponent);
  }
  map_.assign(r * r, 0.0);
  constexpr std::int64_t kRange = 200;  // powers of two that products of coordinates can bear
  for (std::size_t k = 0; k < r * r; ++k) {
    if (factor[k].mantissa == 0) continue;
    factor[k].exponent -= top;
    has_doubles_ = has_doubles_ && factor[k].exponent > -kRange;
    map_[k] = value_of(factor[k]);
  }
  for (std::size_t k = 0; k < r; ++k) map_determinant_ *= map_[k * r + k];
  has_doubles_ = has_doubles_ && map_determinant_ > 0x1p-900;
}

}  // namespace topes
