#include "topes/solid_angle_cone.hpp"

#include <algorithm>
#include <cmath>

namespace topes {

namespace {

constexpr double kExactRoundings = 64 * kRoundoff;  // of quotients and roots, relative

// Bits that the lengths must be known to for the middle of two rays to be near the middle: they nearly cancel.
std::int64_t bits_for_middle(const Integer& square_a, const Integer& square_b, const Integer& inner) {
  const Integer product = square_a * square_b;
  const Scaled gap = quotient(to_scaled(product - inner * inner), to_scaled(product));  // sin^2 of the angle
  constexpr std::int64_t kSpare = 30;
  return kSpare + std::max<std::int64_t>(0, -gap.exponent);
}

Integer root_with_bits(const Integer& square, std::int64_t shift) {
  return sqrt(shift >= 0 ? Integer(square << static_cast<unsigned>(2 * shift)) : Integer(square >> static_cast<unsigned>(-2 * shift)));
}

}  // namespace

AngleRules::AngleRules(const Arrangement& a, std::uint64_t n_points, std::uint64_t seed)
    : metric(a), rank(a.rank()), unit(1 / sphere_area(a.rank())) {
  if (rank == 4 || rank == 5) nested = std::make_unique<NestedRule>(rank);
  if (rank >= 6) shifted = std::make_unique<ShiftedPoints>(rank, n_points, seed);
}

ExactAngle::Vertex ExactAngle::vertex(std::vector<Integer> coordinates) const {
  Integer square = rules_.metric.inner(coordinates, coordinates);
  const Scaled length = root(to_scaled(square));
  return {std::move(coordinates), std::move(square), length};
}

// |b| a + |a| b, the lengths rounded to as many bits as their cancellation needs.
ExactAngle::Vertex ExactAngle::middle(const Vertex& a, const Vertex& b) const {
  const Integer inner = rules_.metric.inner(a.coordinates, b.coordinates);
  const std::int64_t bits = bits_for_middle(a.square, b.square, inner);
  const std::int64_t shift = bits - std::min(a.length.exponent, b.length.exponent);
  const Integer at_a = root_with_bits(b.square, shift);
  const Integer at_b = root_with_bits(a.square, shift);
  std::vector<Integer> out(r_);
  for (std::size_t j = 0; j < r_; ++j) out[j] = at_a * a.coordinates[j] + at_b * b.coordinates[j];
  make_primitive(out);
  return vertex(std::move(out));
}

// The cone of these corners; `volume` is |det| of their coordinates.
void ExactAngle::add(const std::vector<const Vertex*>& corners, const Integer& volume) {
  gram_.clear();
  Scaled lengths{0.5, 1};
  std::size_t widest_a = 0;
  std::size_t widest_b = 1;
  double widest = 1;
  for (std::size_t i = 0; i < r_; ++i) {
    lengths = product(lengths, corners[i]->length);
    for (std::size_t j = i + 1; j < r_; ++j) {
      const Scaled inner = to_scaled(rules_.metric.inner(corners[i]->coordinates, corners[j]->coordinates));
      gram_.push_back(value_of(quotient(inner, product(corners[i]->length, corners[j]->length))));
      if (gram_.back() >= widest) continue;
      widest = gram_.back();
      widest_a = i;
      widest_b = j;
    }
  }
  const double unit_volume = value_of(quotient(product(to_scaled(volume), rules_.metric.root_determinant()), lengths));
  if (r_ == 2) {
    const double angle = std::atan2(unit_volume, gram_[0]);
    sum_ += {angle, kExactRoundings * angle};
    return;
  }
  // Rays that positive weights can bring to zero have a pair beyond -1 / (r - 1): halving by inner products would fail late.
  const double safe = r_ == 3 ? kWidest : -0.9 / static_cast<double>(r_ - 1);
  if (widest >= safe) {
    if (r_ == 3) {
      const Half half = half_excess(gram_[0], gram_[1], gram_[2], unit_volume);
      const double angle = 2 * std::atan2(half.imaginary, half.real);
      sum_ += {angle, kExactRoundings * angle};
      return;
    }
    if (rules_.shifted != nullptr && ShiftedPoints::prepare(gram_, r_, unit_volume, grams_, volumes_)) return;
    Measured one;
    if (rules_.nested != nullptr && (*rules_.nested)(gram_, unit_volume, one)) {
      sum_ += {one.value, one.error + kExactRoundings * one.value};
      return;
    }
  }
  control_->poll();
  const Vertex m = middle(*corners[widest_a], *corners[widest_b]);
  for (const std::size_t replaced : {widest_a, widest_b}) {
    std::vector<const Vertex*> half = corners;
    half[replaced] = &m;
    IntegerMatrix matrix(r_, r_);
    for (std::size_t i = 0; i < r_; ++i) {
      std::copy(half[i]->coordinates.begin(), half[i]->coordinates.end(), matrix.row(i).begin());
    }
    add(half, abs(determinant(std::move(matrix))));
  }
}

template <class Set>
void ExactAngle::triangulate(const std::vector<std::vector<std::uint32_t>>& facets, const Control& control) {
  Pulling<Set> pulling;
  const std::size_t n = vertices_.size();
  for (const auto& facet : facets) {
    pulling.facets().push_back(Set::none(n));
    for (const std::uint32_t ray : facet) pulling.facets().back().add(ray);
  }
  Set all = Set::none(n);
  for (std::uint32_t k = 0; k < n; ++k) all.add(k);
  std::vector<const Vertex*> corners(r_);
  pulling(all, rules_.rank, [&](const std::vector<std::uint32_t>& chosen) {
    control.poll();
    IntegerMatrix matrix(r_, r_);
    for (std::size_t i = 0; i < r_; ++i) {
      corners[i] = &vertices_[chosen[i]];
      std::copy(corners[i]->coordinates.begin(), corners[i]->coordinates.end(), matrix.row(i).begin());
    }
    add(corners, abs(determinant(std::move(matrix))));
  });
}

Measured ExactAngle::operator()(std::span<const std::vector<Integer>> rays, const std::vector<std::vector<std::uint32_t>>& facets,
                                const Control& control) {
  control_ = &control;
  sum_ = {};
  grams_.clear();
  volumes_.clear();
  vertices_.clear();
  for (const auto& ray : rays) vertices_.push_back(vertex(ray));
  if (vertices_.size() <= 64) {
    triangulate<SmallRaySet>(facets, control);
  } else {
    triangulate<LargeRaySet>(facets, control);
  }
  if (rules_.shifted != nullptr) sum_ = (*rules_.shifted)(grams_, volumes_);
  return sum_;
}

}  // namespace topes
