// The largest price on a great circle: the step of the local search for directions.
// Twin: python/topes/reference/great_circle.py.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace topes {

/// cos t u + sin t e of the largest price, by cos t and sin t.
struct CirclePoint {
  double cos = 1;
  double sin = 0;
  double value = 0;  ///< rounded
};

/// Row i is above its hyperplane on half of the circle. From one crossing to the next the price is P cos t + Q sin t, and a crossing
/// changes P and Q by the numbers of one row: one sort of n angles, and a pass over the 2 n arcs. So a step goes over any number of
/// walls, and past maxima that a gradient would end at.
class GreatCircle {
 public:
  /// The largest sum of v_i phi(cos t a_i + sin t b_i), phi(x) = max(x, kappa x), times `sign`.
  /// \param a, b  x_i.u and x_i.e
  CirclePoint best(std::span<const double> a, std::span<const double> b, std::span<const double> v, double sign, double kappa);

 private:
  struct Crossing {
    double cotangent;  // of its angle in (0, pi)
    std::uint32_t row;
  };
  std::vector<Crossing> crossings_;
};

}  // namespace topes
