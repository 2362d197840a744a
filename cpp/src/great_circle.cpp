#include "topes/great_circle.hpp"

#include <algorithm>
#include <cmath>

#include "topes/error.hpp"

namespace topes {

namespace {

double cross(double ax, double ay, double bx, double by) { return ax * by - ay * bx; }

// The best of the arc between two directions, at most half a circle apart, if it is better than `best`.
void look(double p, double q, double cos0, double sin0, double cos1, double sin1, double turn, CirclePoint& best) {
  // An arc of no width has both sides of zero, and its opposite as well: the sum of its ends tells them apart.
  const bool within = (p != 0 || q != 0) && cross(cos0, sin0, p, q) >= 0 && cross(p, q, cos1, sin1) >= 0 &&
                      p * (cos0 + cos1) + q * (sin0 + sin1) >= 0;
  const double value = within ? std::hypot(p, q) : p * cos0 + q * sin0;  // the other end is where the next arc begins
  if (!(value > best.value)) return;
  best = within ? CirclePoint{turn * p / value, turn * q / value, value} : CirclePoint{turn * cos0, turn * sin0, value};
}

}  // namespace

CirclePoint GreatCircle::best(std::span<const double> a, std::span<const double> b, std::span<const double> v, double sign,
                              double kappa) {
  const std::size_t n = a.size();
  if (b.size() != n || v.size() != n) throw InvalidArgument("great circle: the arrays do not fit each other");
  crossings_.clear();
  // phi(x) = kappa x + (1 - kappa) max(0, x): what is linear, and the sums over rows that are above just after t = 0, and over all.
  double linear_p = 0;
  double linear_q = 0;
  double p = 0;
  double q = 0;
  double all_p = 0;
  double all_q = 0;
  const double bend = sign * (1.0 - kappa);
  for (std::size_t i = 0; i < n; ++i) {
    if (v[i] == 0) continue;
    linear_p += v[i] * a[i];
    linear_q += v[i] * b[i];
    const double wa = bend * v[i] * a[i];
    const double wb = bend * v[i] * b[i];
    all_p += wa;
    all_q += wb;
    if (a[i] > 0 || (a[i] == 0 && b[i] > 0)) {
      p += wa;
      q += wb;
    }
    if (a[i] != 0) crossings_.push_back({-b[i] / a[i], static_cast<std::uint32_t>(i)});
  }
  linear_p *= sign * kappa;
  linear_q *= sign * kappa;
  std::sort(crossings_.begin(), crossings_.end(), [](const Crossing& x, const Crossing& y) {
    return x.cotangent > y.cotangent || (x.cotangent == y.cotangent && x.row < y.row);
  });
  CirclePoint best{1, 0, p + linear_p};
  double cos0 = 1;
  double sin0 = 0;
  for (std::size_t k = 0; k <= crossings_.size(); ++k) {
    double cos1 = -1;
    double sin1 = 0;
    std::size_t row = n;
    if (k < crossings_.size()) {
      row = crossings_[k].row;
      const double x = a[row] > 0 ? -b[row] : b[row];
      const double y = std::abs(a[row]);
      const double size = std::hypot(x, y);
      cos1 = x / size;
      sin1 = y / size;
    }
    look(p + linear_p, q + linear_q, cos0, sin0, cos1, sin1, 1, best);
    // On the other half, u(t + pi) = -u(t), the rows above are those that are not here.
    look(p - all_p - linear_p, q - all_q - linear_q, cos0, sin0, cos1, sin1, -1, best);
    if (row == n) break;
    const double change = (a[row] > 0 ? -bend : bend) * v[row];
    p += change * a[row];
    q += change * b[row];
    cos0 = cos1;
    sin0 = sin1;
  }
  return best;
}

}  // namespace topes
