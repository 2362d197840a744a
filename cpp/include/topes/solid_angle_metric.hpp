// Lengths and angles in the row space, for rays that are known by their pivot columns.
//
// A ray c of the walk stands for the point v of the row space with B v = c, where B is the basis of the row space that is
// the identity in the pivot columns. Inner products there are c' K c with K = (B B')^-1, which is rational: all that is
// needed from it is exact, up to one common factor that no angle sees.
#pragma once

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "topes/arrangement.hpp"
#include "topes/exact.hpp"
#include "topes/ray.hpp"

namespace topes {

/// mantissa * 2^exponent: numbers beyond the range of doubles.
inline Scaled product(const Scaled& a, const Scaled& b) { return {a.mantissa * b.mantissa, a.exponent + b.exponent}; }
inline Scaled quotient(const Scaled& a, const Scaled& b) { return {a.mantissa / b.mantissa, a.exponent - b.exponent}; }
inline Scaled root(const Scaled& a) {
  const bool odd = a.exponent % 2 != 0;
  return {std::sqrt(odd ? 2 * a.mantissa : a.mantissa), (a.exponent - (odd ? 1 : 0)) / 2};
}
/// The double it is; underflows to zero.
inline double value_of(const Scaled& a) {
  constexpr std::int64_t kBeyond = 3000;
  return std::ldexp(a.mantissa, static_cast<int>(a.exponent > kBeyond ? kBeyond : a.exponent < -kBeyond ? -kBeyond : a.exponent));
}

/// Determinant of a square matrix, by fraction-free elimination [Bareiss68].
Integer determinant(IntegerMatrix a);

class ConeMetric {
 public:
  /// \pre the arrangement is central and its rank positive
  explicit ConeMetric(const Arrangement& arrangement);

  /// c' K d, up to the common factor.
  Integer inner(std::span<const Integer> c, std::span<const Integer> d) const;
  /// sqrt(det K): what turns a determinant of rays into the volume they span.
  const Scaled& root_determinant() const { return root_determinant_; }

  /// Whether rounded rays can be used at all: entries of the map are within the range of doubles.
  bool has_doubles() const { return has_doubles_; }
  /// The walk's rays in doubles have column j divided by 2^(this).
  std::span<const int> column_exponents() const { return column_exponent_; }
  /// The determinant of the map below: what turns a determinant of walk coordinates into the volume they span.
  double map_determinant() const { return map_determinant_; }

  /// The coordinates c of a ray in the walk as a unit vector in an orthonormal basis of the row space. Returns the length it
  /// had, and with it what is to be known of the errors; length 0 if they are too large to use.
  struct Placed {
    double length = 0;
    double error = 0;  ///< bound on the error of the unit vector
  };
  template <int R>
  Placed place(const double* c, double ray_error, double* unit) const {
    double square = 0;
    double error = 0;
    const auto r = static_cast<std::size_t>(R > 0 ? R : r_);
    for (std::size_t i = 0; i < r; ++i) {
      const double* row = map_.data() + i * r;
      double x = 0;
      double bound = 0;
      if (identity_) {
        x = row[i] * c[i];
        bound = std::abs(row[i]) * (ray_error + roundings_ * std::abs(c[i]));
      } else {
        for (std::size_t j = i; j < r; ++j) {
          x += row[j] * c[j];
          bound += std::abs(row[j]) * (ray_error + roundings_ * std::abs(c[j]));
        }
      }
      unit[i] = x;
      square += x * x;
      error += bound * bound;
    }
    const double length = std::sqrt(square);
    const double relative = std::sqrt(error) / length;
    if (!(relative < 0x1p-10) || !(length > 0x1p-400) || !(length < 0x1p400)) return {};
    const double inverse = 1 / length;
    for (std::size_t i = 0; i < r; ++i) unit[i] *= inverse;
    constexpr double kSlack = 1.01;
    return {length, kSlack * relative + static_cast<double>(r) * kRoundoff};
  }

 private:
  void factorise();

  int r_;
  bool identity_;
  double roundings_;
  IntegerMatrix k_;        // empty for the identity
  Scaled root_determinant_{0.5, 1};
  std::vector<double> map_;  // upper triangular, map' map = K up to a factor, for rays in the scale of the walk
  double map_determinant_ = 1;
  bool has_doubles_ = true;
  std::vector<int> column_exponent_;
};

}  // namespace topes
