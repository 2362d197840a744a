// A node of the cell tree: a cone given by its extreme rays, the facets each lies on, and the hyperplanes that cut it.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "topes/arena.hpp"
#include "topes/ray.hpp"
#include "topes/sign.hpp"

namespace topes {

/// Facets of a cone sit in numbered slots; a ray's facets are a bit mask over them, `words` words of 64 slots.
/// All arrays live in the arena of the walk.
struct Cone {
  std::uint32_t n_rays = 0;
  std::uint32_t n_slots = 0;  ///< slots in use are below this
  std::uint32_t words = 0;
  Ray** rays = nullptr;
  std::uint64_t* masks = nullptr;    ///< words for each ray: the facets it lies on
  std::uint64_t* used = nullptr;     ///< words: slots that hold a facet
  SignedIndex* slots = nullptr;      ///< facet's hyperplane, and the side of it the cone is on

  const std::uint64_t* mask(std::size_t ray) const { return masks + ray * words; }
};

/// A cone and what is still to be done in it.
struct Node {
  Cone cone;  ///< absent (no rays) where the walk does not need it
  std::uint32_t n_list = 0;
  std::uint32_t n_decided = 0;
  std::uint32_t* list = nullptr;         ///< conflict list: hyperplanes that cut the cone, in walk order
  const SignedIndex* decided = nullptr;  ///< hyperplanes that cut the parent but not this node, and their signs here
  Arena::Mark mark;                      ///< everything this node needs lies below it
  std::size_t n_exact = 0;               ///< likewise for the exact rays
};

/// Calls f(slot) for every bit set in mask[0..words).
template <class F>
inline void for_each_slot(const std::uint64_t* mask, std::uint32_t words, F&& f) {
  for (std::uint32_t w = 0; w < words; ++w) {
    for (std::uint64_t bits = mask[w]; bits != 0; bits &= bits - 1) {
      f(w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits)));
    }
  }
}

/// Facets of the cone that contain the given rays' common face: pairs of rays that span an edge.
/// common := a & b; returns the number of bits.
inline int intersect(const std::uint64_t* a, const std::uint64_t* b, std::uint32_t words, std::uint64_t* common) {
  int count = 0;
  for (std::uint32_t w = 0; w < words; ++w) {
    common[w] = a[w] & b[w];
    count += std::popcount(common[w]);
  }
  return count;
}

inline bool contains(const std::uint64_t* a, const std::uint64_t* part, std::uint32_t words) {
  for (std::uint32_t w = 0; w < words; ++w) {
    if ((a[w] & part[w]) != part[w]) return false;
  }
  return true;
}

inline int count_bits(const std::uint64_t* a, std::uint32_t words) {
  int count = 0;
  for (std::uint32_t w = 0; w < words; ++w) count += std::popcount(a[w]);
  return count;
}

}  // namespace topes
