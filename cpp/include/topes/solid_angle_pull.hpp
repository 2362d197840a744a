// The pulling triangulation of a cone from which rays lie on which facets.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace topes {

/// Up to 64 rays as one word.
struct SmallRaySet {
  std::uint64_t bits = 0;

  static SmallRaySet none(std::size_t) { return {}; }
  void add(std::uint32_t ray) { bits |= std::uint64_t{1} << ray; }
  bool has(std::uint32_t ray) const { return ((bits >> ray) & 1U) != 0; }
  int size() const { return std::popcount(bits); }
  std::uint32_t first() const { return static_cast<std::uint32_t>(std::countr_zero(bits)); }
  bool within(const SmallRaySet& o) const { return (bits & ~o.bits) == 0; }
  SmallRaySet operator&(const SmallRaySet& o) const { return {bits & o.bits}; }
  bool operator==(const SmallRaySet&) const = default;
  template <class F>
  void for_each(F&& f) const {
    for (std::uint64_t b = bits; b != 0; b &= b - 1) f(static_cast<std::uint32_t>(std::countr_zero(b)));
  }
};

/// Any number of rays.
struct LargeRaySet {
  std::vector<std::uint64_t> words;

  static LargeRaySet none(std::size_t n_rays) { return {std::vector<std::uint64_t>((n_rays + 63) / 64, 0)}; }
  void add(std::uint32_t ray) { words[ray / 64] |= std::uint64_t{1} << (ray % 64); }
  bool has(std::uint32_t ray) const { return ((words[ray / 64] >> (ray % 64)) & 1U) != 0; }
  int size() const {
    int n = 0;
    for (const std::uint64_t w : words) n += std::popcount(w);
    return n;
  }
  std::uint32_t first() const {
    std::uint32_t w = 0;
    while (words[w] == 0) ++w;
    return 64 * w + static_cast<std::uint32_t>(std::countr_zero(words[w]));
  }
  bool within(const LargeRaySet& o) const {
    for (std::size_t w = 0; w < words.size(); ++w) {
      if ((words[w] & ~o.words[w]) != 0) return false;
    }
    return true;
  }
  LargeRaySet operator&(const LargeRaySet& o) const {
    LargeRaySet out = *this;
    for (std::size_t w = 0; w < words.size(); ++w) out.words[w] &= o.words[w];
    return out;
  }
  bool operator==(const LargeRaySet&) const = default;
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t w = 0; w < words.size(); ++w) {
      for (std::uint64_t b = words[w]; b != 0; b &= b - 1) {
        f(static_cast<std::uint32_t>(64 * w + static_cast<std::size_t>(std::countr_zero(b))));
      }
    }
  }
};

/// Simplicial cones with disjoint interiors that together are the cone: a ray, joined with the triangulated facets it is not
/// on.
template <class Set>
class Pulling {
 public:
  std::vector<Set>& facets() { return facets_; }

  /// Calls emit(rays) with the indices of `rank` rays for each simplicial cone.
  /// \pre facets() are the rays of each facet of the pointed cone of this rank with these rays. rank >= 2
  template <class Emit>
  void operator()(const Set& all, int rank, Emit&& emit) {
    chain_.clear();
    scratch_.clear();
    pull(all, rank, emit);
  }

 private:
  template <class Emit>
  void pull(const Set& face, int dimension, Emit& emit) {
    const std::size_t depth = chain_.size();
    if (face.size() == dimension) {
      face.for_each([&](std::uint32_t ray) { chain_.push_back(ray); });
      emit(chain_);
      chain_.resize(depth);
      return;
    }
    const std::uint32_t apex = face.first();
    chain_.push_back(apex);
    const std::size_t begin = scratch_.size();
    facets_of(face, dimension, apex);
    const std::size_t end = scratch_.size();
    for (std::size_t k = begin; k < end; ++k) {
      const Set next = scratch_[k];
      pull(next, dimension - 1, emit);
    }
    scratch_.resize(begin);
    chain_.resize(depth);
  }

  // The facets of the face that the apex is not on, appended to scratch_. A face of dimension k < 4 is known by its number
  // of rays: 2 for k = 2, more for k = 3. Above that facets are the largest of the intersections.
  void facets_of(const Set& face, int dimension, std::uint32_t apex) {
    const std::size_t begin = scratch_.size();
    for (const Set& facet : facets_) {
      // Largest among all, apex or not: an intersection inside one that holds the apex is no facet.
      if (dimension <= 4 && facet.has(apex)) continue;
      Set part = face & facet;
      const int n = part.size();
      if (n < dimension - 1 || (dimension == 3 && n != 2) || n == face.size()) continue;
      if (std::find(scratch_.begin() + static_cast<std::ptrdiff_t>(begin), scratch_.end(), part) != scratch_.end()) continue;
      scratch_.push_back(std::move(part));
    }
    if (dimension <= 4) return;
    const std::size_t end = scratch_.size();
    for (std::size_t k = begin; k < end; ++k) {
      bool largest = !scratch_[k].has(apex);
      for (std::size_t l = begin; l < end && largest; ++l) largest = l == k || !scratch_[k].within(scratch_[l]);
      if (largest) scratch_.push_back(scratch_[k]);
    }
    scratch_.erase(scratch_.begin() + static_cast<std::ptrdiff_t>(begin), scratch_.begin() + static_cast<std::ptrdiff_t>(end));
  }

  std::vector<Set> facets_, scratch_;
  std::vector<std::uint32_t> chain_;
};

}  // namespace topes
