// Definitions of CellAngle's members. Included by solid_angle_cone.hpp only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "topes/solid_angle_cone.hpp"

namespace topes {

// Units and vectors of all rays; false where a ray has too few digits for either.
template <int R>
bool CellAngle<R>::place(const Cone& cone) {
  const std::size_t n = cone.n_rays;
  const std::size_t r = rank();
  units_.resize(n * r);
  vectors_.resize(n * r);
  unit_errors_.resize(n);
  errors_.resize(n);
  const double root = std::sqrt(static_cast<double>(r));
  for (std::size_t k = 0; k < n; ++k) {
    const double* c = cone.rays[k]->coordinates();
    const auto placed = rules_.metric.place<R>(c, cone.rays[k]->error, units_.data() + k * r);
    if (placed.length == 0) return false;
    unit_errors_[k] = placed.error;
    const double inverse = 1 / placed.length;
    double square = 0;
    for (std::size_t j = 0; j < r; ++j) {
      const double x = c[j] * inverse;
      vectors_[k * r + j] = x;
      square += x * x;
    }
    // The factor 1 / length is off by a rounding or the like: that is a relative error of the volume, not one that cancels.
    errors_[k] = root * cone.rays[k]->error * inverse + kRoundoff * std::sqrt(square);
  }
  return true;
}

template <int R>
bool CellAngle<R>::rounded(const Cone& cone, Measured& out) {
  return measure(cone, vectors_, out);
}

// Once more with rays recomputed in long double, where that is more than double and the rows are what they are in exact
// arithmetic.
template <int R>
bool CellAngle<R>::refined(const Cone& cone, Measured& out) {
  if constexpr (R < 2 || R > kLargestMinorRank || std::numeric_limits<long double>::digits < 60) {
    return false;
  } else {
    return a_.arithmetic() == Arithmetic::filtered && a_.bounds().row_error() == 0 && refine(cone) && measure(cone, wide_, out);
  }
}

template <int R>
bool CellAngle<R>::refine(const Cone& cone) {
  if constexpr (R >= 2 && R <= kLargestMinorRank) {
    constexpr std::size_t r = R;
    constexpr double kUnit = static_cast<double>(std::numeric_limits<long double>::epsilon()) / 2;
    const double minor_error = a_.bounds().minor_error() * 1.01 * (kUnit / kRoundoff);  // linear in the unit roundoff
    wide_.resize(cone.n_rays * r);
    for (std::uint32_t k = 0; k < cone.n_rays; ++k) {
      if (count_bits(cone.mask(k), cone.words) != R - 1) return false;
      std::array<const double*, r - 1> rows{};
      std::size_t at = 0;
      for_each_slot(cone.mask(k), cone.words,
                    [&](std::uint32_t slot) { rows[at++] = a_.rounded() + cone.slots[slot].index() * a_.stride(); });
      std::array<long double, r> minors;
      maximal_minors<R>(rows.data(), minors.data());
      std::array<double, r> c;
      double along = 0;
      for (std::size_t j = 0; j < r; ++j) {
        c[j] = static_cast<double>(minors[j]);
        along += c[j] * vectors_[k * r + j];
      }
      if (along < 0) {
        for (std::size_t j = 0; j < r; ++j) {
          c[j] = -c[j];
          minors[j] = -minors[j];
        }
      }
      const auto placed = rules_.metric.place<R>(c.data(), minor_error, units_.data() + k * r);
      if (placed.length == 0) return false;
      unit_errors_[k] = placed.error;
      const long double inverse = 1 / static_cast<long double>(placed.length);
      double square = 0;
      for (std::size_t j = 0; j < r; ++j) {
        wide_[k * r + j] = minors[j] * inverse;
        square += static_cast<double>(wide_[k * r + j] * wide_[k * r + j]);
      }
      errors_[k] = std::sqrt(static_cast<double>(r)) * minor_error / placed.length + kUnit * std::sqrt(square);
    }
    return true;
  }
  return false;
}

template <int R>
template <class Real>
bool CellAngle<R>::measure(const Cone& cone, const std::vector<Real>& vectors, Measured& out) {
  bool found = false;
  if constexpr (R == 2) {
    found = measure_plane(vectors.data(), out);
  } else if constexpr (R == 3) {
    found = measure_space(cone, vectors.data(), out);
  } else {
    found = cone.n_rays <= 64 ? measure_any(cone, small_, vectors, out) : measure_any(cone, large_, vectors, out);
  }
  return found;
}

template <int R>
template <class Real>
bool CellAngle<R>::measure_plane(const Real* v, Measured& out) const {
  const double unit = static_cast<double>(std::numeric_limits<Real>::epsilon());
  const double scale = rules_.metric.map_determinant();
  const double sine = scale * static_cast<double>(std::abs(v[0] * v[3] - v[1] * v[2]));
  const double a = static_cast<double>(std::hypot(v[0], v[1]));
  const double b = static_cast<double>(std::hypot(v[2], v[3]));
  const double error = 1.01 * scale * (errors_[0] * b + errors_[1] * a + 2 * unit * a * b);
  const double* u = units_.data();
  const double cosine = u[0] * u[2] + u[1] * u[3];
  out.value = std::atan2(sine, cosine);
  // Near a right angle the cosine decides, elsewhere the sine; their errors enter by the other.
  out.error = std::abs(cosine) * error + sine * (unit_errors_[0] + unit_errors_[1] + 8 * kRoundoff) + 8 * kRoundoff * out.value;
  return out.error <= kAngleDigits * out.value;
}

// A fan of triangles from ray 0: one for each facet it is not on. Twice the sum of their arguments, which is that of the
// product.
template <int R>
template <class Real>
bool CellAngle<R>::measure_space(const Cone& cone, const Real* vectors, Measured& out) const {
  constexpr std::uint32_t kNone = ~std::uint32_t{0};
  constexpr double kWidestTriangle = -0.5;
  constexpr double kUnit = static_cast<double>(std::numeric_limits<Real>::epsilon()) / 2;
  std::array<std::uint32_t, 64> small;
  std::vector<std::uint32_t> large;
  std::uint32_t* first = small.data();
  if (cone.n_slots > small.size()) {
    large.resize(cone.n_slots);
    first = large.data();
  }
  std::fill_n(first, cone.n_slots, kNone);
  for_each_slot(cone.mask(0), cone.words, [&](std::uint32_t slot) { first[slot] = 0; });
  const double scale = rules_.metric.map_determinant();
  double re = 1;
  double im = 0;
  double spread = 0;    // errors of determinants, which can cancel
  double relative = 0;  // other errors: in proportion to the volume
  bool wide = false;
  const Real* o = vectors;
  const double* uo = units_.data();
  const double length_o = static_cast<double>(std::sqrt(o[0] * o[0] + o[1] * o[1] + o[2] * o[2]));
  for (std::uint32_t k = 1; k < cone.n_rays; ++k) {
    const Real* q = vectors + 3 * k;
    const double* uq = units_.data() + 3 * k;
    for_each_slot(cone.mask(k), cone.words, [&](std::uint32_t slot) {
      if (first[slot] == kNone) first[slot] = k;
      const std::uint32_t other = first[slot];
      if (other == 0 || other == k) return;
      const Real* p = vectors + 3 * other;
      const double* up = units_.data() + 3 * other;
      const Real a[3] = {p[0] - o[0], p[1] - o[1], p[2] - o[2]};
      const Real b[3] = {q[0] - o[0], q[1] - o[1], q[2] - o[2]};
      const double volume = scale * static_cast<double>(std::abs(
          o[0] * (a[1] * b[2] - a[2] * b[1]) + o[1] * (a[2] * b[0] - a[0] * b[2]) + o[2] * (a[0] * b[1] - a[1] * b[0])));
      const double op = uo[0] * up[0] + uo[1] * up[1] + uo[2] * up[2];
      const double oq = uo[0] * uq[0] + uo[1] * uq[1] + uo[2] * uq[2];
      const double pq = up[0] * uq[0] + up[1] * uq[1] + up[2] * uq[2];
      wide |= op < kWidestTriangle || oq < kWidestTriangle || pq < kWidestTriangle;
      // Differences with their errors, as both stand in the terms that an error leaves of a product.
      const double error_a = errors_[other] + errors_[0];
      const double error_b = errors_[k] + errors_[0];
      const double x = error_a + std::sqrt(static_cast<double>(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]));
      const double y = error_b + std::sqrt(static_cast<double>(b[0] * b[0] + b[1] * b[1] + b[2] * b[2]));
      spread += length_o * (error_a * y + error_b * x + 8 * kUnit * x * y) + errors_[0] * x * y;
      relative += volume * (unit_errors_[0] + unit_errors_[other] + unit_errors_[k] + 4 * kRoundoff);
      const Half half = half_excess(op, oq, pq, volume);
      const double real = re * half.real - im * half.imaginary;
      im = re * half.imaginary + im * half.real;
      re = real;
    });
  }
  if (wide) return false;
  // The measure is 2 arg z, z = 1 + g01 + g02 + g12 + i volume, with |z|^2 = 2 (1 + g01)(1 + g02)(1 + g12) >= 1/4: an error
  // of the volume counts 2 / |z| <= 4 times, one of the real part 2 volume / |z|^2 <= 8 volume times, and it is at most
  // twice those of the rays.
  out.value = 2 * std::atan2(im, re);
  out.error = 1.01 * (4 * scale * spread + 16 * relative) + 16 * kRoundoff * out.value;
  return out.value >= 0 && out.error <= kAngleDigits * out.value;
}

// |det| of the corners, by their differences from the first. Its error: each ray moves by its own.
template <int R>
template <class Real>
double CellAngle<R>::volume(const std::vector<std::uint32_t>& corners, const std::vector<Real>& vectors, double& error) const {
  const std::size_t r = rank();
  constexpr double kUnit = static_cast<double>(std::numeric_limits<Real>::epsilon()) / 2;
  constexpr std::size_t kFixed = R >= 2 && R <= kLargestMinorRank ? R : 0;
  std::array<Real, kFixed * kFixed> fixed;
  std::vector<Real> any;
  Real* m = fixed.data();
  if constexpr (kFixed == 0) {
    any.resize(r * r);
    m = any.data();
  }
  const Real* apex = vectors.data() + corners[0] * r;
  double product = 1;
  double slopes = 0;  // sum over i of (error of difference i) / |difference i|
  double height = 0;
  for (std::size_t j = 0; j < r; ++j) height += static_cast<double>(apex[j] * apex[j]);
  height = std::sqrt(height);
  for (std::size_t i = 1; i < r; ++i) {
    const Real* v = vectors.data() + corners[i] * r;
    Real* d = m + (i - 1) * r;
    double square = 0;
    for (std::size_t j = 0; j < r; ++j) {
      d[j] = v[j] - apex[j];
      square += static_cast<double>(d[j] * d[j]);
    }
    // The difference with its error, as both stand in the terms that an error leaves of a product.
    const double moves = errors_[corners[i]] + errors_[corners[0]];
    const double length = std::sqrt(square) + moves;
    product *= length;
    slopes += moves / length;
  }
  const double scale = rules_.metric.map_determinant();
  const double roundings = static_cast<double>(r * r * r) * kUnit;
  error += 1.01 * scale * product * (height * (slopes + roundings) + errors_[corners[0]]);
  Real out = 0;
  if constexpr (kFixed > 0) {
    std::array<const Real*, kFixed - 1> rows{};
    for (std::size_t i = 0; i + 1 < kFixed; ++i) rows[i] = m + i * r;
    std::array<Real, kFixed> minors;
    maximal_minors<R>(rows.data(), minors.data());
    for (std::size_t j = 0; j < r; ++j) out += apex[j] * minors[j];
  } else {  // elimination with the apex as last row
    std::copy_n(apex, r, m + (r - 1) * r);
    out = 1;
    for (std::size_t k = 0; k < r; ++k) {
      std::size_t pivot = k;
      for (std::size_t i = k + 1; i < r; ++i) {
        if (std::abs(m[i * r + k]) > std::abs(m[pivot * r + k])) pivot = i;
      }
      if (m[pivot * r + k] == 0) return 0.0;
      if (pivot != k) std::swap_ranges(m + k * r, m + (k + 1) * r, m + pivot * r);
      out *= m[k * r + k];
      for (std::size_t i = k + 1; i < r; ++i) {
        const Real f = m[i * r + k] / m[k * r + k];
        for (std::size_t j = k; j < r; ++j) m[i * r + j] -= f * m[k * r + j];
      }
    }
  }
  return scale * static_cast<double>(std::abs(out));
}

template <int R>
template <class Set, class Real>
bool CellAngle<R>::measure_any(const Cone& cone, Pulling<Set>& pulling, const std::vector<Real>& vectors, Measured& out) {
  const std::size_t n = cone.n_rays;
  const std::size_t r = rank();
  gram_.resize(n * n);
  bool wide = false;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      const double g = dot<R>(units_.data() + i * r, units_.data() + j * r, rules_.rank);
      gram_[i * n + j] = gram_[j * n + i] = g;
      wide |= g < kWidest;
    }
  }
  if (wide && rules_.shifted == nullptr) return false;
  auto& facets = pulling.facets();
  facets.clear();
  for_each_slot(cone.used, cone.words, [&](std::uint32_t slot) {
    Set rays = Set::none(n);
    for (std::uint32_t k = 0; k < n; ++k) {
      if (((cone.mask(k)[slot / 64] >> (slot % 64)) & 1U) != 0) rays.add(k);
    }
    facets.push_back(std::move(rays));
  });
  Set all = Set::none(n);
  for (std::uint32_t k = 0; k < n; ++k) all.add(k);
  const std::size_t n_pairs = r * (r - 1) / 2;
  grams_.clear();
  volumes_.clear();
  double error = 0;
  double total = 0;
  pulling(all, rules_.rank, [&](const std::vector<std::uint32_t>& corners) {
    constexpr std::size_t kPollEvery = 1024;
    if (volumes_.size() % kPollEvery == kPollEvery - 1) control_.poll();
    for (std::size_t i = 0; i < r; ++i) {
      for (std::size_t j = i + 1; j < r; ++j) grams_.push_back(gram_[corners[i] * n + corners[j]]);
    }
    volumes_.push_back(volume(corners, vectors, error));
    total += volumes_.back();
  });
  const double largest = *std::max_element(unit_errors_.begin(), unit_errors_.end());
  const double inner_products = 16 * static_cast<double>(r * r) * (largest + 8 * kRoundoff);  // their part of the integrand's error
  const double relative = error / total + inner_products;
  if (!(relative <= (rules_.shifted != nullptr ? kSampledDigits : kAngleDigits))) return false;
  out = {};
  part_grams_.clear();
  part_volumes_.clear();
  for (std::size_t k = 0; k < volumes_.size(); ++k) {
    const std::span<const double> gram(grams_.data() + k * n_pairs, n_pairs);
    const bool done = rules_.shifted != nullptr ? ShiftedPoints::prepare(gram, r, volumes_[k], part_grams_, part_volumes_)
                                                : (*rules_.nested)(gram, volumes_[k], out);
    if (!done) return false;
  }
  if (rules_.shifted != nullptr) out = (*rules_.shifted)(part_grams_, part_volumes_);
  out.error += out.value * relative;
  return true;
}

// Exact rays rounded once, to long double: where only the errors of the walk's rays were in the way.
template <int R>
bool CellAngle<R>::place_exact(const std::vector<std::vector<Integer>>& rays) {
  constexpr double kUnit = static_cast<double>(std::numeric_limits<long double>::epsilon());
  const std::size_t r = rank();
  wide_.resize(rays.size() * r);
  units_.resize(rays.size() * r);
  unit_errors_.resize(rays.size());
  errors_.resize(rays.size());
  std::vector<double> c(r);
  for (std::size_t k = 0; k < rays.size(); ++k) {
    long double* to = wide_.data() + k * r;
    round_ray(rays[k], rules_.metric.column_exponents(), to);
    double largest = 0;
    for (std::size_t j = 0; j < r; ++j) {
      c[j] = static_cast<double>(to[j]);
      largest = std::max(largest, std::abs(c[j]));
    }
    const auto placed = rules_.metric.place<R>(c.data(), 1.01 * kRoundoff * largest, units_.data() + k * r);
    if (placed.length == 0) return false;
    unit_errors_[k] = placed.error;
    const long double inverse = 1 / static_cast<long double>(placed.length);
    double square = 0;
    for (std::size_t j = 0; j < r; ++j) {
      to[j] *= inverse;
      square += static_cast<double>(to[j] * to[j]);
    }
    errors_[k] = 2 * kUnit * std::sqrt(square);
  }
  return true;
}

template <int R>
Measured CellAngle<R>::from_exact(const Cone& cone) {
  std::vector<std::vector<Integer>> rays;
  rays.reserve(cone.n_rays);
  for (std::uint32_t k = 0; k < cone.n_rays; ++k) rays.push_back(splitter_.exact_ray(cone, k));
  Measured out;
  if (rules_.metric.has_doubles() && place_exact(rays) && measure(cone, wide_, out)) return out;
  std::vector<std::vector<std::uint32_t>> facets;
  for_each_slot(cone.used, cone.words, [&](std::uint32_t slot) {
    facets.emplace_back();
    for (std::uint32_t k = 0; k < cone.n_rays; ++k) {
      if (((cone.mask(k)[slot / 64] >> (slot % 64)) & 1U) != 0) facets.back().push_back(k);
    }
  });
  return exact_(rays, facets, control_);
}

}  // namespace topes
