// The solid angle of one cone of the walk: rounded rays first, exact ones where these do not give enough digits.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "topes/cone_split.hpp"
#include "topes/solid_angle_metric.hpp"
#include "topes/solid_angle_pull.hpp"
#include "topes/solid_angle_simplex.hpp"
#include "topes/solid_angle_split.hpp"

namespace topes {

/// What all cells of an arrangement share.
struct AngleRules {
  /// \param n_points, seed  of the randomly shifted points, which rank 6 and more need
  AngleRules(const Arrangement& arrangement, std::uint64_t n_points, std::uint64_t seed);

  ConeMetric metric;
  int rank;
  double unit;  ///< 1 / area of the sphere: from measures to probabilities
  std::unique_ptr<const NestedRule> nested;    // rank 4 and 5
  std::unique_ptr<const ShiftedPoints> shifted;  // rank 6 and more
};

/// An exact ray to within one rounding of each coordinate, its columns divided by 2^exponents, and all by a power of two that
/// brings the largest below 1.
void round_ray(const std::vector<Integer>& ray, std::span<const int> exponents, long double* out);

/// Rounded rays serve where they give this many digits of the angle; exact ones are used otherwise.
inline constexpr double kAngleDigits = 5e-10;
inline constexpr double kSampledDigits = 1e-6;  ///< the same where the angle is sampled: points give fewer than that

/// Solid angles of cones whose rays are exact. Only the inner products are rounded, never what can cancel.
class ExactAngle {
 public:
  explicit ExactAngle(const AngleRules& rules) : rules_(rules), r_(static_cast<std::size_t>(rules.rank)) {}
  /// \param facets  the rays on each facet. \pre rank >= 2, the rays are extreme
  Measured operator()(std::span<const std::vector<Integer>> rays, const std::vector<std::vector<std::uint32_t>>& facets,
                      const Control& control);

 private:
  template <class Set>
  void triangulate(std::span<const std::vector<Integer>> rays, const std::vector<std::vector<std::uint32_t>>& facets);
  void add(const ExactSimplex& simplex);

  const AngleRules& rules_;
  const Control* control_ = nullptr;
  std::size_t r_;
  std::vector<double> gram_;
  Measured sum_;
  std::vector<double> grams_, volumes_;
};

/// Solid angles of the cells of a walk.
template <int R>
class CellAngle {
 public:
  CellAngle(const Arrangement& arrangement, const AngleRules& rules, ConeSplitter<R>& splitter, const Control& control)
      : a_(arrangement), rules_(rules), splitter_(splitter), control_(control), exact_(rules) {}

  /// The probability of the cone, with a bound on its error (rank up to 3), an estimate of it (4, 5), or three standard
  /// errors.
  Measured operator()(const Cone& cone) {
    Measured out;
    if (!(rules_.metric.has_doubles() && place(cone) && (rounded(cone, out) || refined(cone, out)))) {
      ++n_exact_;
      out = from_exact(cone);
    }
    return {out.value * rules_.unit, out.error * rules_.unit};
  }
  std::uint64_t n_exact() const { return n_exact_; }

 private:
  std::size_t rank() const { return static_cast<std::size_t>(R > 0 ? R : rules_.rank); }
  bool place(const Cone& cone);
  bool rounded(const Cone& cone, Measured& out);
  bool refined(const Cone& cone, Measured& out);
  bool refine(const Cone& cone);
  template <class Real>
  bool measure(const Cone& cone, const std::vector<Real>& vectors, Measured& out);
  template <class Real>
  bool measure_plane(const Real* vectors, Measured& out) const;
  template <class Real>
  bool measure_space(const Cone& cone, const Real* vectors, Measured& out) const;
  template <class Set, class Real>
  bool measure_any(const Cone& cone, Pulling<Set>& pulling, const std::vector<Real>& vectors, Measured& out);
  template <class Real>
  double volume(const std::vector<std::uint32_t>& corners, const std::vector<Real>& vectors, double& error) const;
  bool place_exact(const std::vector<std::vector<Integer>>& rays);
  Measured from_exact(const Cone& cone);

  const Arrangement& a_;
  const AngleRules& rules_;
  ConeSplitter<R>& splitter_;
  const Control& control_;
  ExactAngle exact_;
  Pulling<SmallRaySet> small_;
  Pulling<LargeRaySet> large_;
  // Of the rays: unit vectors of the row space and how far they may be off; the same rays in the coordinates of the walk,
  // with their errors. What can cancel is computed from the latter, which no map has rounded.
  std::vector<double> units_, unit_errors_, vectors_, errors_;
  std::vector<long double> wide_;
  std::vector<double> gram_, grams_, volumes_, part_grams_, part_volumes_;
  std::uint64_t n_exact_ = 0;
};

}  // namespace topes

#include "topes/solid_angle_cone_impl.hpp"
