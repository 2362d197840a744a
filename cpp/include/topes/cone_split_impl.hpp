// Definitions of ConeSplitter's members; included by cone_split.hpp only.
#pragma once

#include "topes/cone_split.hpp"

namespace topes {

template <int R>
Node ConeSplitter<R>::root(std::uint64_t index) {
  const auto r = static_cast<std::uint32_t>(rank());
  Node node;
  Cone& cone = node.cone;
  cone.n_rays = r;
  cone.n_slots = r;
  cone.words = (r + 63) / 64;
  cone.rays = arena_.allocate<Ray*>(r);
  cone.masks = arena_.allocate<std::uint64_t>(static_cast<std::size_t>(r) * cone.words);
  cone.used = arena_.allocate<std::uint64_t>(cone.words);
  cone.slots = arena_.allocate<SignedIndex>(r);
  std::fill_n(cone.used, cone.words, 0);
  for (std::uint32_t k = 0; k < r; ++k) {
    const bool negative = k > 0 && ((index >> (r - 1 - k)) & 1U) != 0;
    cone.slots[k] = SignedIndex(k, negative);
    cone.used[k / 64] |= std::uint64_t{1} << (k % 64);
  }
  std::vector<Integer> exact(r);
  for (std::uint32_t k = 0; k < r; ++k) {
    Ray* ray = new_ray();
    for (std::uint32_t j = 0; j < r; ++j) {
      exact[j] = a_.basis_rays().row(k)[j];
      if (cone.slots[k].negative()) exact[j] = -exact[j];
    }
    round_exact(ray, exact);
    cone.rays[k] = ray;
    std::uint64_t* mask = cone.masks + static_cast<std::size_t>(k) * cone.words;
    std::copy_n(cone.used, cone.words, mask);
    mask[k / 64] &= ~(std::uint64_t{1} << (k % 64));
  }
  const auto m = static_cast<std::uint32_t>(a_.size());
  node.list = arena_.allocate<std::uint32_t>(m);
  auto* decided = arena_.allocate<SignedIndex>(m);
  for (std::uint32_t k = 0; k < r; ++k) decided[node.n_decided++] = cone.slots[k];
  for (std::uint32_t h = r; h < m; ++h) {
    bool pos = false;
    bool neg = false;
    for (std::uint32_t k = 0; k < r && !(pos && neg); ++k) {
      const int s = sign(h, cone.rays[k], dot<R>(row(h), cone.rays[k]->coordinates(), r_),
                         [&] { tight_of(cone, cone.mask(k)); });
      pos |= s > 0;
      neg |= s < 0;
    }
    counters_.signs += r;
    if (pos && neg) {
      node.list[node.n_list++] = h;
    } else {
      decided[node.n_decided++] = SignedIndex(h, neg);
    }
  }
  node.decided = decided;
  node.mark = arena_.mark();
  node.n_exact = n_exact_;
  return node;
}

template <int R>
void ConeSplitter<R>::split(const Node& node) {
  split_by_ = node.list[0];
  classify_rays(node, split_by_);
  cut_edges(node, split_by_);
  sort_list(node);
}

template <int R>
void ConeSplitter<R>::classify_rays(const Node& node, std::uint32_t h) {
  const Cone& cone = node.cone;
  pos_.clear();
  neg_.clear();
  zero_.clear();
  values_.resize(cone.n_rays);
  const double* normal = row(h);
  for (std::uint32_t k = 0; k < cone.n_rays; ++k) {
    const double value = dot<R>(normal, cone.rays[k]->coordinates(), r_);
    values_[k] = value;
    const int s = sign(h, cone.rays[k], value, [&] { tight_of(cone, cone.mask(k)); });
    (s > 0 ? pos_ : s < 0 ? neg_ : zero_).push_back(k);
  }
  counters_.signs += cone.n_rays;
}

template <int R>
void ConeSplitter<R>::cut_edges(const Node& node, std::uint32_t h) {
  const Cone& cone = node.cone;
  const std::uint32_t words = cone.words;
  common_.resize(words);
  section_.clear();
  section_masks_.clear();
  const int enough = rank() - 2;
  for (const std::uint32_t u : pos_) {
    control_.poll();  // a cone of high rank can have millions of rays
    for (const std::uint32_t v : neg_) {
      int n_common = 0;
      if (words == 1) {
        common_[0] = cone.masks[u] & cone.masks[v];
        n_common = std::popcount(common_[0]);
      } else {
        n_common = intersect(cone.mask(u), cone.mask(v), words, common_.data());
      }
      if (n_common < enough || !spans_edge(cone, u, v, n_common)) continue;
      section_.push_back(cut_edge(cone, u, v, h, n_common));
      section_masks_.insert(section_masks_.end(), common_.begin(), common_.end());
    }
  }
  n_new_ = section_.size();
  for (const std::uint32_t k : zero_) {
    section_.push_back(cone.rays[k]);
    section_masks_.insert(section_masks_.end(), cone.mask(k), cone.mask(k) + words);
  }
}

// Two rays span an edge if the facets they share have rank r - 2. A ray on r - 1 facets has them independent; else
// the edge is told by no third ray lying on all the shared facets [Fukuda96, prop. 7].
template <int R>
bool ConeSplitter<R>::spans_edge(const Cone& cone, std::uint32_t u, std::uint32_t v, int n_common) const {
  if (n_common == rank() - 2) {
    if (count_bits(cone.mask(u), cone.words) == rank() - 1 || count_bits(cone.mask(v), cone.words) == rank() - 1) {
      return true;
    }
  }
  for (std::uint32_t k = 0; k < cone.n_rays; ++k) {
    if (k != u && k != v && contains(cone.mask(k), common_.data(), cone.words)) return false;
  }
  return true;
}

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

// Which children does each hyperplane of the list cut? Both, if it takes both signs on the section between them; else
// the one that has a ray on the other side of it than the section, and it has the section's sign on the other child.
template <int R>
void ConeSplitter<R>::sort_list(const Node& node) {
  const std::uint32_t n = node.n_list;
  pos_list_ = arena_.allocate<std::uint32_t>(n);
  neg_list_ = arena_.allocate<std::uint32_t>(n);
  pos_decided_ = arena_.allocate<SignedIndex>(n);
  neg_decided_ = arena_.allocate<SignedIndex>(n);
  n_pos_list_ = n_neg_list_ = 0;
  n_pos_decided_ = n_neg_decided_ = 1;
  pos_decided_[0] = SignedIndex(split_by_, false);
  neg_decided_[0] = SignedIndex(split_by_, true);
  const Cone& cone = node.cone;
  const bool scan_pos = pos_.size() <= neg_.size();
  const std::vector<std::uint32_t>& scan = scan_pos ? pos_ : neg_;
  for (std::uint32_t i = 1; i < n; ++i) {
    const std::uint32_t g = node.list[i];
    const double* normal = row(g);
    bool pos = false;
    bool neg = false;
    std::size_t tests = 0;
    for (std::size_t k = 0; k < section_.size() && !(pos && neg); ++k, ++tests) {
      const double value = dot<R>(normal, section_[k]->coordinates(), r_);
      const int s = sign(g, section_[k], value, [&] {
        tight_of(cone, section_masks_.data() + k * cone.words);
        tight_.push_back(split_by_);
      });
      pos |= s > 0;
      neg |= s < 0;
    }
    if (pos && neg) {
      pos_list_[n_pos_list_++] = g;
      neg_list_[n_neg_list_++] = g;
      counters_.signs += tests;
      continue;
    }
    bool crossed = false;
    for (std::size_t k = 0; k < scan.size() && !crossed; ++k, ++tests) {
      const double value = dot<R>(normal, cone.rays[scan[k]]->coordinates(), r_);
      const int s = sign(g, cone.rays[scan[k]], value, [&] { tight_of(cone, cone.mask(scan[k])); });
      crossed = pos ? s < 0 : s > 0;
    }
    counters_.signs += tests;
    if (crossed == scan_pos) {
      pos_list_[n_pos_list_++] = g;
      neg_decided_[n_neg_decided_++] = SignedIndex(g, neg);
    } else {
      neg_list_[n_neg_list_++] = g;
      pos_decided_[n_pos_decided_++] = SignedIndex(g, neg);
    }
  }
}

template <int R>
Node ConeSplitter<R>::child(const Node& node, int side, bool with_cone) {
  Node out;
  out.list = side > 0 ? pos_list_ : neg_list_;
  out.n_list = side > 0 ? n_pos_list_ : n_neg_list_;
  out.decided = side > 0 ? pos_decided_ : neg_decided_;
  out.n_decided = side > 0 ? n_pos_decided_ : n_neg_decided_;
  if (with_cone) {
    const Cone& from = node.cone;
    const std::vector<std::uint32_t>& kept = side > 0 ? pos_ : neg_;
    // A facet survives on the side where it has a ray off the splitting hyperplane.
    common_.assign(from.words, 0);
    for (const std::uint32_t k : kept) {
      for (std::uint32_t w = 0; w < from.words; ++w) common_[w] |= from.mask(k)[w];
    }
    std::uint32_t slot = 0;
    while (slot < from.words * 64 && ((common_[slot / 64] >> (slot % 64)) & 1U) != 0) ++slot;
    Cone& to = out.cone;
    to.words = std::max(from.words, slot / 64 + 1);
    to.n_slots = std::max(from.n_slots, slot + 1);
    to.n_rays = static_cast<std::uint32_t>(kept.size() + section_.size());
    to.rays = arena_.allocate<Ray*>(to.n_rays);
    to.masks = arena_.allocate<std::uint64_t>(static_cast<std::size_t>(to.n_rays) * to.words);
    to.used = arena_.allocate<std::uint64_t>(to.words);
    to.slots = arena_.allocate<SignedIndex>(to.n_slots);
    std::copy_n(from.slots, from.n_slots, to.slots);
    to.slots[slot] = SignedIndex(split_by_, side < 0);
    std::uint32_t k = 0;
    for (const std::uint32_t i : kept) {
      to.rays[k] = from.rays[i];
      for (std::uint32_t w = 0; w < to.words; ++w) {
        to.masks[k * to.words + w] = w < from.words ? from.mask(i)[w] & common_[w] : 0;
      }
      ++k;
    }
    const std::uint64_t here = std::uint64_t{1} << (slot % 64);
    for (std::size_t i = 0; i < section_.size(); ++i, ++k) {
      to.rays[k] = section_[i];
      for (std::uint32_t w = 0; w < to.words; ++w) {
        const std::uint64_t old = w < from.words ? section_masks_[i * from.words + w] & common_[w] : 0;
        to.masks[k * to.words + w] = w == slot / 64 ? old | here : old;
      }
    }
    for (std::uint32_t w = 0; w < to.words; ++w) {
      to.used[w] = (w < from.words ? common_[w] : 0) | (w == slot / 64 ? here : 0);
    }
  }
  out.mark = arena_.mark();
  out.n_exact = n_exact_;
  return out;
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
