// Wide simplicial cones cut into acute ones, exactly and in bounded work.
//
// The point p of the convex hull of the rays that is nearest to the origin has a non-negative inner product with every ray.
// Put in the place of each ray it is made of, in turn, it cuts the cone into pieces that have p for a ray. Inside a piece the
// same is done with the rays that are not yet such centres; a later centre is made of rays, each of which makes an acute
// angle with the earlier ones, so it does too. After r - 1 rounds at most, and in at most r! pieces, no two rays make an
// obtuse angle. Halving has no such bound: where rays surround the origin, or all but do, one of the halves does as well.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "topes/exact.hpp"

namespace topes {

/// A simplicial cone by the inner products of its rays. The rays have any lengths.
struct ExactSimplex {
  std::size_t r = 0;
  std::vector<Integer> gram;  ///< r x r, symmetric, positive definite
  Integer volume;             ///< |det| of the rays in some basis
  std::uint64_t centres = 0;  ///< bit i: ray i makes no obtuse angle with any other
  Integer& at(std::size_t i, std::size_t j) { return gram[i * r + j]; }
  const Integer& at(std::size_t i, std::size_t j) const { return gram[i * r + j]; }
};

/// Weights mu >= 0 of the rays that are not centres with <p, v_i> >= 0 for all of these, p = sum mu_i v_i not 0: the nearest
/// point of their hull to the origin, up to length, in lowest terms of no particular size.
std::vector<Integer> nearest_weights(const ExactSimplex& simplex);

/// The same in doubles and roughly, for unit rays: mu with sum 1. Returns a lower bound, up to roundings, on the square of the
/// distance of their hull from the origin: of min <p, v_i> / |p|.
/// \param gram  r x r. \param open  the rays to use
double nearest_weights(std::span<const double> gram, const std::vector<std::size_t>& open, std::vector<double>& mu);

/// Pieces of the simplex. Those with a new centre, which is off the nearest point by 2^-40 of its distance from the origin at
/// most; or, if one ray is that point, the simplex itself with that ray among its centres.
/// None if all rays are centres.
/// \pre r <= 64
std::vector<ExactSimplex> cut_at_centre(ExactSimplex simplex);

}  // namespace topes
