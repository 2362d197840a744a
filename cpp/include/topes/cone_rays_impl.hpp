// Definitions of ConeSplitter's members that make rays: rounded, verified, exact. Included by cone_split.hpp only.
#pragma once

#include "topes/cone_split.hpp"

namespace topes {

template <int R>
Ray* ConeSplitter<R>::cut_edge(const Cone& cone, std::uint32_t u, std::uint32_t v, std::uint32_t h, int n_common) {
  Ray* ray = new_ray();
  const auto combine = [&](double useful) {
    return combine_rounded(cone.rays[u], values_[u], cone.rays[v], values_[v], useful, ray);
  };
  // Combining is the cheapest at high rank, but hands errors down: start afresh when they have grown.
  if (R == 0 && !integer_ && combine(0x1p-30)) return ray;
  if (n_common == rank() - 2 && ray_from_rows(cone, h, ray) && orient(cone, u, v, ray)) return ray;
  if (integer_) {
    combine_integers(cone.rays[u], values_[u], cone.rays[v], values_[v], ray);
    return ray;
  }
  if (combine(0x1p-24)) return ray;  // half the digits of a double are better than exact arithmetic
  exact_ray(ray, [&] {
    tight_of(cone, common_.data());
    tight_.push_back(h);
  });
  return ray;
}

// The ray on hyperplane h and the shared facets, from these hyperplanes alone: no error is handed down from other rays.
template <int R>
bool ConeSplitter<R>::ray_from_rows(const Cone& cone, std::uint32_t h, Ray* ray) {
  double* c = ray->coordinates();
  if constexpr (R >= 2 && R <= kLargestMinorRank) {
    const double* rows[R - 1];
    int n = 0;
    for_each_slot(common_.data(), cone.words, [&](std::uint32_t slot) { rows[n++] = row(cone.slots[slot].index()); });
    rows[n] = row(h);
    maximal_minors<R>(rows, c);
    if (integer_) {
      ray->error = ray->tolerance = 0.0;
      return true;
    }
    ray->error = a_.bounds().minor_error();
    ray->tolerance = a_.bounds().minor_dot_error();
    // A common factor far below 1 means hyperplanes that are nearly dependent: few digits would be right.
    constexpr double kDigits = 0x1p10;
    double largest = 0;
    for (int j = 0; j < R; ++j) largest = std::max(largest, std::abs(c[j]));
    return largest >= kDigits * ray->error;
  } else {
    if (integer_ || rank() < 2) return false;
    kernel_rows_.clear();
    for_each_slot(common_.data(), cone.words,
                  [&](std::uint32_t slot) { kernel_rows_.push_back(row(cone.slots[slot].index())); });
    kernel_rows_.push_back(row(h));
    const std::optional<double> error = kernel_(kernel_rows_, c);
    if (!error) return false;
    ray->error = *error;
    ray->tolerance = a_.bounds().dot_error(*error, 2.0);
    return true;
  }
}

// Give the ray between u and v its sign, by a facet that only one of the two lies on.
template <int R>
bool ConeSplitter<R>::orient(const Cone& cone, std::uint32_t u, std::uint32_t v, Ray* ray) const {
  double* c = ray->coordinates();
  for (const auto& [on, off] : {std::pair{u, v}, std::pair{v, u}}) {
    const std::uint64_t* mask_on = cone.mask(on);
    const std::uint64_t* mask_off = cone.mask(off);
    for (std::uint32_t w = 0; w < cone.words; ++w) {
      const std::uint64_t only = mask_on[w] & ~mask_off[w];
      if (only == 0) continue;
      const SignedIndex facet = cone.slots[w * 64 + static_cast<std::uint32_t>(std::countr_zero(only))];
      const double value = dot<R>(row(facet.index()), c, r_);
      if (std::abs(value) <= ray->tolerance) break;
      if ((value < 0) != facet.negative()) {
        for (int j = 0; j < rank(); ++j) c[j] = -c[j];
      }
      return true;
    }
  }
  return false;
}

// |h.u| v + |h.v| u without its common factor: exact, since a primitive ray is no longer than a vector of minors.
template <int R>
void ConeSplitter<R>::combine_integers(const Ray* u, double at_u, const Ray* v, double at_v, Ray* out) const {
  __extension__ using Wide = __int128;
  auto wu = static_cast<std::int64_t>(std::abs(at_v));
  auto wv = static_cast<std::int64_t>(std::abs(at_u));
  const std::int64_t g = std::gcd(wu, wv);
  wu /= g;
  wv /= g;
  const double* cu = u->coordinates();
  const double* cv = v->coordinates();
  double* c = out->coordinates();
  out->error = out->tolerance = 0.0;
  const auto entry = [&](int j) {
    return static_cast<Wide>(wu) * static_cast<std::int64_t>(cu[j]) +
           static_cast<Wide>(wv) * static_cast<std::int64_t>(cv[j]);
  };
  const auto magnitude = [](Wide x) { return x < 0 ? -x : x; };
  Wide factor = 0;
  for (int j = 0; j < rank() && factor != 1; ++j) {
    Wide x = magnitude(entry(j));
    while (x != 0) {  // Euclid; small after the first step
      const Wide rest = (factor >> 62) == 0 && (x >> 62) == 0
                            ? Wide{static_cast<std::int64_t>(factor) % static_cast<std::int64_t>(x)}
                            : factor % x;
      factor = x;
      x = rest;
    }
  }
  for (int j = 0; j < rank(); ++j) c[j] = static_cast<double>(static_cast<std::int64_t>(entry(j) / factor));
}

// The same in floating point with the error it may have; false if that is more than `useful` in relation.
template <int R>
bool ConeSplitter<R>::combine_rounded(const Ray* u, double at_u, const Ray* v, double at_v, double useful,
                                      Ray* out) const {
  const double wu = std::abs(at_v);
  const double wv = std::abs(at_u);
  const double* cu = u->coordinates();
  const double* cv = v->coordinates();
  double* c = out->coordinates();
  double size_u = 0;
  double size_v = 0;
  double size = 0;
  for (int j = 0; j < rank(); ++j) {
    c[j] = wu * cu[j] + wv * cv[j];
    size_u = std::max(size_u, std::abs(cu[j]));
    size_v = std::max(size_v, std::abs(cv[j]));
    size = std::max(size, std::abs(c[j]));
  }
  constexpr double kRoundings = 4 * kRoundoff;  // two products, one sum, and the bound itself
  const double error = (1 + 0x1p-20) * (v->tolerance * (size_u + u->error) + wu * u->error +
                                        u->tolerance * (size_v + v->error) + wv * v->error +
                                        kRoundings * (wu * size_u + wv * size_v)) + 0x1p-1000;
  if (!(error <= useful * size)) return false;
  const int e = -std::ilogb(size);
  for (int j = 0; j < rank(); ++j) c[j] = std::scalbn(c[j], e);
  out->error = std::scalbn(error, e) + 0x1p-1000;
  out->tolerance = a_.bounds().dot_error(out->error, 2.0);
  return true;
}

template <int R>
void ConeSplitter<R>::tight_of(const Cone& cone, const std::uint64_t* mask) {
  tight_.clear();
  for_each_slot(mask, cone.words, [&](std::uint32_t slot) { tight_.push_back(cone.slots[slot].index()); });
  for (std::uint32_t w = 0; w < cone.words; ++w) {
    const std::uint64_t others = cone.used[w] & ~mask[w];
    if (others == 0) continue;
    off_ = cone.slots[w * 64 + static_cast<std::uint32_t>(std::countr_zero(others))];
    return;
  }
}

template <int R>
template <class Tight>
const std::vector<Integer>& ConeSplitter<R>::exact_ray(Ray* ray, Tight&& tight) {
  if (ray->exact >= 0 && static_cast<std::size_t>(ray->exact) < n_exact_) {
    const ExactRay& entry = exact_[static_cast<std::size_t>(ray->exact)];
    if (entry.owner == ray) return entry.coordinates;
  }
  ++counters_.exact_rays;
  tight();
  const auto r = static_cast<std::size_t>(rank());
  IntegerMatrix rows(tight_.size(), r);
  for (std::size_t i = 0; i < tight_.size(); ++i) {
    const auto normal = a_.normal(tight_[i]);
    std::copy(normal.begin(), normal.end(), rows.row(i).begin());
  }
  std::vector<Integer> line = kernel_line(rows);
  const Sign side = sign_of(dot(a_.normal(off_.index()), line));
  if ((side == Sign::negative) != off_.negative()) {
    for (Integer& x : line) x = -x;
  }
  round_exact(ray, line);
  if (n_exact_ == exact_.size()) exact_.emplace_back();
  ExactRay& entry = exact_[n_exact_];
  entry.owner = ray;
  entry.coordinates = std::move(line);
  ray->exact = static_cast<std::int64_t>(n_exact_++);
  return entry.coordinates;
}

template <int R>
template <class Tight>
int ConeSplitter<R>::exact_sign(std::uint32_t h, Ray* ray, Tight&& tight) {
  ++counters_.exact_signs;
  return static_cast<int>(sign_of(dot(a_.normal(h), exact_ray(ray, tight))));
}

template <int R>
void ConeSplitter<R>::round_exact(Ray* ray, std::span<const Integer> exact) {
  double* c = ray->coordinates();
  ray->exact = -1;
  if (integer_) {
    for (int j = 0; j < rank(); ++j) c[j] = to_double(exact[static_cast<std::size_t>(j)]);
    ray->error = ray->tolerance = 0.0;
    return;
  }
  std::int64_t top = std::numeric_limits<std::int64_t>::min();
  for (int j = 0; j < rank(); ++j) {
    const Scaled s = to_scaled(exact[static_cast<std::size_t>(j)]);
    if (s.mantissa != 0) top = std::max(top, s.exponent - a_.column_exponent(static_cast<std::size_t>(j)));
  }
  for (int j = 0; j < rank(); ++j) {
    c[j] = to_double(exact[static_cast<std::size_t>(j)], -a_.column_exponent(static_cast<std::size_t>(j)) - top);
  }
  ray->error = kRoundoff;
  ray->tolerance = a_.bounds().dot_error(ray->error, 1.0);
}

}  // namespace topes
