#include "topes/solid_angle_cone.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "topes/error.hpp"

namespace topes {

namespace {

constexpr double kExactRoundings = 64 * kRoundoff;  // of quotients and roots, relative

}  // namespace

AngleRules::AngleRules(const Arrangement& a, std::uint64_t n_points, std::uint64_t seed)
    : metric(a), rank(a.rank()), unit(1 / sphere_area(a.rank())) {
  if (rank == 4 || rank == 5) nested = std::make_unique<NestedRule>(rank);
  if (rank >= 6) shifted = std::make_unique<ShiftedPoints>(rank, n_points, seed);
}

void round_ray(const std::vector<Integer>& ray, std::span<const int> exponents, long double* out) {
  constexpr std::int64_t kBits = std::min(std::numeric_limits<long double>::digits, 64);
  constexpr std::int64_t kFar = 10000;  // below the largest coordinate: nothing is left of it
  const auto bits = [](const Integer& x) { return x.is_zero() ? std::int64_t{0} : static_cast<std::int64_t>(msb(abs(x))) + 1; };
  std::int64_t top = std::numeric_limits<std::int64_t>::min();
  for (std::size_t j = 0; j < ray.size(); ++j) {
    if (!ray[j].is_zero()) top = std::max(top, bits(ray[j]) - exponents[j]);
  }
  for (std::size_t j = 0; j < ray.size(); ++j) {
    const std::int64_t drop = std::max<std::int64_t>(0, bits(ray[j]) - kBits);
    const Integer size = abs(ray[j]) >> static_cast<unsigned>(drop);
    const std::int64_t exponent = std::max(drop - exponents[j] - top, -kFar);
    const long double value = std::ldexp(static_cast<long double>(static_cast<std::uint64_t>(size)), static_cast<int>(exponent));
    out[j] = ray[j] < 0 ? -value : value;
  }
}

void ExactAngle::add(const ExactSimplex& simplex) {
  control_->poll();
  Scaled lengths{0.5, 1};
  std::vector<Scaled> length(r_);
  for (std::size_t i = 0; i < r_; ++i) {
    length[i] = root(to_scaled(simplex.at(i, i)));
    lengths = product(lengths, length[i]);
  }
  gram_.clear();
  for (std::size_t i = 0; i < r_; ++i) {
    for (std::size_t j = i + 1; j < r_; ++j) {
      gram_.push_back(value_of(quotient(to_scaled(simplex.at(i, j)), product(length[i], length[j]))));
    }
  }
  const double unit_volume = value_of(quotient(product(to_scaled(simplex.volume), rules_.metric.root_determinant()), lengths));
  if (r_ == 2) {
    const double angle = std::atan2(unit_volume, gram_[0]);
    sum_ += {angle, kExactRoundings * angle};
    return;
  }
  if (r_ == 3) {
    if (*std::min_element(gram_.begin(), gram_.end()) >= kWidest) {
      const Half half = half_excess(gram_[0], gram_[1], gram_[2], unit_volume);
      const double angle = 2 * std::atan2(half.imaginary, half.real);
      sum_ += {angle, kExactRoundings * angle};
      return;
    }
  } else if (rules_.shifted != nullptr) {
    if (ShiftedPoints::prepare(gram_, r_, unit_volume, grams_, volumes_)) return;
  } else {
    Measured one;
    if (pointed(gram_, r_) && (*rules_.nested)(gram_, unit_volume, one)) {
      sum_ += {one.value, one.error + kExactRoundings * one.value};
      return;
    }
  }
  // Where all rays are centres, no inner product is negative and one of the above has served.
  const std::vector<ExactSimplex> pieces = cut_at_centre(simplex);
  if (pieces.empty()) throw Error("a cone with acute angles was not measured");
  for (const ExactSimplex& piece : pieces) add(piece);
}

template <class Set>
void ExactAngle::triangulate(std::span<const std::vector<Integer>> rays, const std::vector<std::vector<std::uint32_t>>& facets) {
  Pulling<Set> pulling;
  const std::size_t n = rays.size();
  for (const auto& facet : facets) {
    pulling.facets().push_back(Set::none(n));
    for (const std::uint32_t ray : facet) pulling.facets().back().add(ray);
  }
  Set all = Set::none(n);
  for (std::uint32_t k = 0; k < n; ++k) all.add(k);
  ExactSimplex simplex{r_, std::vector<Integer>(r_ * r_), 0};
  pulling(all, rules_.rank, [&](const std::vector<std::uint32_t>& chosen) {
    IntegerMatrix corners(r_, r_);
    for (std::size_t i = 0; i < r_; ++i) {
      std::copy(rays[chosen[i]].begin(), rays[chosen[i]].end(), corners.row(i).begin());
      for (std::size_t j = 0; j <= i; ++j) {
        simplex.at(i, j) = simplex.at(j, i) = rules_.metric.inner(rays[chosen[i]], rays[chosen[j]]);
      }
    }
    simplex.volume = abs(determinant(std::move(corners)));
    add(simplex);
  });
}

Measured ExactAngle::operator()(std::span<const std::vector<Integer>> rays, const std::vector<std::vector<std::uint32_t>>& facets,
                                const Control& control) {
  control_ = &control;
  sum_ = {};
  grams_.clear();
  volumes_.clear();
  if (rays.size() <= 64) {
    triangulate<SmallRaySet>(rays, facets);
  } else {
    triangulate<LargeRaySet>(rays, facets);
  }
  if (rules_.shifted != nullptr) sum_ = (*rules_.shifted)(grams_, volumes_);
  return sum_;
}

}  // namespace topes
