// The measure of one simplicial cone, from the inner products of its unit rays and the volume they span.
//
// With unit rays v_i the measure of the cone on the unit sphere is
//     |det V| * integral over the simplex {t >= 0, sum t = 1} of |sum_i t_i v_i|^-r.
// The integrand depends on inner products only; where these are not negative it is a quotient of positive terms. All that
// can cancel is the determinant, which comes from outside: the relative error of the result is that of the determinant and
// of the rule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace topes {

/// A number and a bound on, or an estimate of, its error.
struct Measured {
  double value = 0;
  double error = 0;
  Measured& operator+=(const Measured& o) {
    value += o.value;
    error += o.error;
    return *this;
  }
};

/// Area of the unit sphere in r dimensions.
double sphere_area(int r);

/// Pairs i < j of r rays in the order (0,1), (0,2), ..., (1,2), ...
inline std::size_t pair_index(std::size_t i, std::size_t j, std::size_t r) { return i * (2 * r - i - 1) / 2 + j - i - 1; }

/// Unit rays further apart than this are split before their inner products are used: the middle of two rays that nearly
/// cancel is not determined by them.
inline constexpr double kWidest = -0.9;

/// Whether the unit rays' convex hull is so far from the origin that inner products in doubles determine the cone.
bool pointed(std::span<const double> gram, std::size_t r);

/// Halves of a simplicial cone, cut through the middle of rays a and b: `gram` and the volume become those of the half that
/// keeps b (keep_b) or a.
/// \pre gram of the pair is at least kWidest
double halve(std::span<double> gram, std::size_t r, std::size_t a, std::size_t b, bool keep_b);

/// Rules for rank 4 and 5: Grundmann and Moeller's, of degree 2s + 1 for s = 0, 1, ..., each made of the points of the one
/// before and new ones [Grundmann78]. The degree is raised until the rule settles; where it does not, the cone is halved.
class NestedRule {
 public:
  explicit NestedRule(int r);
  /// Adds the measure of the cone. \param gram  inner products of the unit rays, pairs i < j. \param volume  |det V|
  /// \return false if rays or middles of rays are further apart than kWidest: the rays themselves have to be halved then
  [[nodiscard]] bool operator()(std::span<const double> gram, double volume, Measured& out) const;

 private:
  struct Class {
    std::size_t n_points = 0;
    std::vector<double> base;   // sum of t_i^2
    std::vector<double> pairs;  // 2 t_i t_j, pair by pair
  };
  bool settle(const double* gram, double volume, Measured& out) const;
  double class_sum(const Class& points, const double* gram) const;

  int r_;
  std::size_t n_pairs_;
  std::vector<Class> classes_;
  std::vector<double> weights_;  // of class k in the rule of index s, at [s * n_classes + k]
  std::vector<double> growth_;   // sum of the absolute weights of each rule: what becomes of relative errors of the integrand
};

/// Randomly shifted points for higher ranks: the same for all cells.
class ShiftedPoints {
 public:
  static constexpr std::size_t kShifts = 8;
  /// \param n_points  in all, rounded up to a multiple of kShifts
  ShiftedPoints(int r, std::uint64_t n_points, std::uint64_t seed);
  /// Cuts the cone at centres until the integrand is bounded, and appends the parts; false if it is not pointed().
  [[nodiscard]] static bool prepare(std::span<const double> gram, std::size_t r, double volume, std::vector<double>& grams,
                                    std::vector<double>& volumes);
  /// The measure of several simplicial cones that prepare() gave: the value is a mean over shifts, the error three times its standard error.
  /// \param grams  n_pairs numbers for each cone. \param volumes  likewise one
  Measured operator()(std::span<const double> grams, std::span<const double> volumes) const;

 private:
  int r_;
  std::size_t n_pairs_;
  std::size_t per_shift_;
  std::vector<double> choice_;  // ascending within a shift: which cone
  std::vector<double> base_, pairs_;
};

/// Rank 3 in closed form [VanOosterom83]: the measure is twice the argument of the number returned.
struct Half {
  double real;
  double imaginary;
};
inline Half half_excess(double g01, double g02, double g12, double volume) { return {1 + g01 + g02 + g12, volume}; }

}  // namespace topes
