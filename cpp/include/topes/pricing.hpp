// Pricing: the largest ||V' phi(X u)||_2 over the unit ball, with a proved upper bound and the directions that come near it.
//
// In working coordinates the price is ||Phi(w)||, Phi(w) = B w + sum_k A_k max(0, h_k.w) in R^C, for the hyperplanes h_k and a norm
// of w. Branch and bound over simplicial cones: each is halved until no hyperplane that bends the price upwards cuts it, or its bound
// is below the level asked for. On a cone, with t_j >= Phi at its vertices after every max(0, h.w) is replaced by a linear function
// above it (its interpolation) or below it (0 or h.w), any c with c.vertex_j >= t_j bounds the price by the dual norm of c.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "topes/progress.hpp"
#include "topes/simplex.hpp"

namespace topes {

/// Largest dimension of the working coordinates: a fan has 2^R cones, and bounds are made for few dimensions.
inline constexpr int kLargestPricingDimension = 8;

/// Unit ball of the working coordinates w: ||w / scale||_2 <= 1; ||w||_1 <= 1; ||w||_inf <= 1; or, for a last coordinate that is bounded
/// on its own, max(||others||_1, |last|) <= 1 or max(||others / scale||_2, |last|) <= 1.
enum class Ball : std::uint8_t { euclidean, cross, cube, prism, cylinder };

/// Whether norms of this ball are 2-norms.
constexpr bool round(Ball ball) { return ball == Ball::euclidean || ball == Ball::cylinder; }

struct PricingSpace {
  std::size_t dimension = 0;
  std::vector<double> normals;  ///< m x dimension
  Ball ball = Ball::euclidean;
  std::vector<double> scale;  ///< euclidean and cylinder: the norm of w is ||w / scale||_2, the dual norm ||scale * c||_2

  std::size_t size() const { return dimension == 0 ? 0 : normals.size() / dimension; }
};

/// Phi of one pricing call. Outputs C; with C = 1 both signs of the price are searched.
struct PricingWeights {
  std::size_t outputs = 1;
  std::span<const double> bend;    ///< m x C: A
  std::span<const double> linear;  ///< C x dimension: B
};

/// So many cones of a piece are looked at before the rest of it becomes pieces: some tenths of a second of work, so that what is in
/// one part of space only, a quarter of all at times, keeps more than one processor busy.
inline constexpr std::uint64_t kSlice = std::uint64_t{1} << 14;

struct PricingOptions {
  double floor = 0;            ///< cones that cannot exceed this need no work
  double keep = 1;             ///< nor those that cannot exceed this share of the way from there to the best price found
  double tolerance = 1e-6;     ///< relative width at which the bound on the best price is good enough
  std::uint64_t max_nodes = ~std::uint64_t{0};
  double max_seconds = 1e300;
  std::size_t n_best = 16;     ///< directions to return
  unsigned n_threads = 0;
  ProgressHook hook;
  bool record = false;  ///< write down the cover that proves the bound: directions are not looked for, memory grows with it
  bool reallot = false;  ///< what parts of space leave of max_nodes goes to those that ran out; up to twice as many are looked at then
  std::uint64_t slice = kSlice;
};

/// The cones of a finished search, for another program to check: a tree for each sign of the price (+ first; several outputs
/// have none) and each cone of the fan, in that order. Trees are in preorder.
struct PricingCover {
  std::vector<std::uint8_t> split;   ///< of each cone: 0 for a leaf, 1 + e where edge e is halved, see edge_number()
  std::vector<std::uint16_t> depth;  ///< of each cone, 0 for a root
  std::uint64_t n_leaves = 0;
  std::vector<double> c;                  ///< round balls: n_leaves x dimension, the linear function that bounds each leaf
  std::vector<std::uint32_t> slope_leaf;  ///< number of the leaf, in preorder, for each slope written down
  std::vector<std::uint32_t> slope_row;   ///< its hyperplane
  std::vector<double> slope;              ///< in [0, 1]; of one that cuts the leaf and is not here: 1 where the sum of h.vertex_j is above 0
};

struct PricedDirection {
  std::vector<double> w;  ///< of norm 1
  double value = 0;       ///< the price at w, rounded
  int sign = 1;           ///< of v'phi(Xu); 1 for several outputs
};

/// A cone that is still to be searched: the halvings that lead to it from the part it lies in, and a bound on the price there.
struct OpenCone {
  std::vector<std::uint8_t> path;
  double bound = 0;
};

struct PricingResult {
  double upper = 0;         ///< no price exceeds this: roundings of this search included
  double best = 0;          ///< the largest price found, rounded
  bool complete = true;     ///< the limits on nodes and time were not met
  std::uint64_t nodes = 0;
  std::vector<PricedDirection> directions;  ///< best first; at most one for each small cone, all above `floor`
  PricingCover cover;                       ///< empty unless asked for
};

/// A piece of space: part `part` of those that every search begins with, or a cone in it.
struct PricingPiece {
  std::size_t part = 0;
  OpenCone cone;
  std::uint64_t max_nodes = 0;  ///< beyond it the search of the piece ends, with a weaker bound
};

/// What was found in a piece.
struct PieceResult {
  double upper = 0;  ///< no price in the piece exceeds this, but for those in the cones that are open
  double best = 0;
  bool complete = true;
  bool late = false;  ///< the clock has cut the search short: it may be done again, to the same end as if it had not begun
  std::uint64_t nodes = 0;
  std::vector<PricedDirection> directions;
  std::vector<OpenCone> open;  ///< left after `slice` cones, to be pieces by themselves
  PricingCover cover;
};

/// Pieces that are searched each by itself: what is found in one depends on nothing but these numbers, the space, the weights
/// and the options, so it does not matter where it is searched, nor when.
struct PricingWave {
  std::vector<PricingPiece> pieces;
  double incumbent = 0;  ///< a price that is reached somewhere: what cannot exceed it is left
};

/// Results of the pieces, in their order.
using PieceSearch = std::function<std::vector<PieceResult>(const PricingWave&)>;

/// \param starts  k x dimension: directions that are likely good, priced first
/// \param elsewhere  searches the pieces, else threads of this process do: the result is the same
/// The result does not depend on the number of threads, unless max_seconds ends the search.
/// \throws InvalidArgument if the dimension is above kLargestPricingDimension or shapes do not fit
PricingResult price(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts,
                    const PricingOptions& options, const PieceSearch& elsewhere = {});

/// One wave, on threads of this process. `options.max_nodes` is not looked at.
std::vector<PieceResult> search_pieces(const PricingSpace& space, const PricingWeights& weights, const PricingOptions& options,
                                       const PricingWave& wave);

/// n_parts x dimension x dimension: the cone of each part. With one output part k is for the price if k is even, else for its negative.
std::vector<double> part_vertices(const PricingSpace& space, std::size_t outputs);

}  // namespace topes
