// Definitions of ConeSplitter's members that make nodes: roots, splits, children. Included by cone_split.hpp only.
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

}  // namespace topes
