// Descent's dealings with walls: blocks are put on them, meet them and are let go.
#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "topes/descent.hpp"

namespace topes {

namespace {

// Multipliers this far outside of [0, 1] are outside.
constexpr double kOutside = 1e-9;
// Angles below this make a wall one with those it is already on; to it, a row vanishes with them.
constexpr double kDependent = 1e-7;
constexpr double kVanish = 1e-9;

// What is left of x where the orthonormal vectors of Q are taken out; its length.
double take_out(const std::vector<double>& Q, std::vector<double>& x) {
  const std::size_t r = x.size();
  for (int twice = 0; twice < 2; ++twice) {
    for (std::size_t q = 0; q < Q.size() / r; ++q) {
      double part = 0;
      for (std::size_t a = 0; a < r; ++a) part += Q[q * r + a] * x[a];
      for (std::size_t a = 0; a < r; ++a) x[a] -= part * Q[q * r + a];
    }
  }
  double squares = 0;
  for (const double each : x) squares += each * each;
  return std::sqrt(squares);
}

void append_unit(std::vector<double>& Q, const std::vector<double>& x, double size) {
  for (const double each : x) Q.push_back(each / size);
}

// Orthonormal vectors that complete Q to a basis of dimension r.
std::vector<double> complement(std::vector<double> Q, std::size_t r) {
  const std::size_t taken = Q.size();
  while (Q.size() < r * r) {
    std::vector<double> best;
    double most = 0;
    for (std::size_t a = 0; a < r; ++a) {
      std::vector<double> x(r, 0.0);
      x[a] = 1.0;
      const double size = take_out(Q, x);
      if (size <= most) continue;
      most = size;
      best = std::move(x);
    }
    append_unit(Q, best, most);
  }
  return {Q.begin() + static_cast<std::ptrdiff_t>(taken), Q.end()};
}

}  // namespace

// Put block j on these walls: the nearest point of their flat.
void Descent::set_walls(std::size_t j, std::vector<std::size_t> walls) {
  const std::size_t r = p_.r;
  Block& b = blocks_[j];
  std::vector<double> Q;
  b.walls.clear();
  for (const std::size_t g : walls) {
    std::vector<double> rest(normal(g), normal(g) + r);
    const double size = take_out(Q, rest);
    if (size > kDependent && Q.size() / r + 1 < r) {
      append_unit(Q, rest, size);
      b.walls.push_back(g);
    }
  }
  b.flat = complement(Q, r);
  std::vector<std::uint8_t> on(p_.n, 0);
  if (!b.walls.empty()) {
    std::vector<std::uint8_t> vanishes(hyperplanes_);
    for (std::size_t g = 0; g < vanishes.size(); ++g) {
      double left = 0;  // of the unit normal, along the flat
      for (std::size_t q = 0; q < dimension(b); ++q) {
        double part = 0;
        for (std::size_t a = 0; a < r; ++a) part += b.flat[q * r + a] * normal(g)[a];
        left += part * part;
      }
      vanishes[g] = left <= kVanish * kVanish ? 1 : 0;
    }
    for (std::size_t k = 0; k < p_.n; ++k) on[k] = p_.group[k] >= 0 ? vanishes[static_cast<std::size_t>(p_.group[k])] : 0;
    std::vector<double> z(r, 0.0);
    for (std::size_t q = 0; q < dimension(b); ++q) {
      double part = 0;
      for (std::size_t a = 0; a < r; ++a) part += b.flat[q * r + a] * b.z[a];
      for (std::size_t a = 0; a < r; ++a) z[a] += part * b.flat[q * r + a];
    }
    b.z = std::move(z);
  }
  b.on_wall = std::move(on);
  for (std::size_t k = 0; k < p_.n; ++k) gram_.set(k, j, gate(b, k));
  set_heights(b);
  moved();
}

// Settle rows on their hyperplanes from which the step went up or down, to the other side than it was made for: a bend upwards becomes a
// wall, one downwards is passed. False if there is none.
bool Descent::meet(const std::vector<std::uint8_t>& above, const std::vector<std::uint8_t>& on) {
  look_around();
  const std::vector<double> v = v_;
  bool found = false;
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    std::vector<std::size_t> walls = blocks_[j].walls;
    const std::size_t before = walls.size();
    for (std::size_t k = 0; k < p_.n; ++k) {
      const bool up = above[j * p_.n + k] != 0;
      if (!on[j * p_.n + k] || blocks_[j].on_wall[k] || p_.group[k] < 0 || up == (blocks_[j].side[k] != 0)) continue;
      found = true;
      if (blocks_[j].sign * v[k / p_.pool] <= 0) {
        set_side(j, k, up);
      } else if (walls.size() == before) {
        walls.push_back(static_cast<std::size_t>(p_.group[k]));
      }
    }
    if (walls.size() > before) set_walls(j, std::move(walls));
  }
  moved();
  return found;
}

// Let blocks go from walls whose multiplier, the slope of the bend there, is not between its ends.
bool Descent::release() {
  look_around();
  std::vector<double> bend(hyperplanes_, 0.0);
  for (std::size_t k = 0; k < p_.n; ++k) {
    if (p_.group[k] >= 0) bend[static_cast<std::size_t>(p_.group[k])] += (1.0 - p_.kappa) * std::abs(p_.factor[k]) * spread(k);
  }
  bool released = false;
  for (std::size_t j = 0; j < blocks_.size(); ++j) {
    if (!blocks_[j].walls.empty() && release(j, bend)) released = true;
  }
  if (released) moved();
  return released;
}

bool Descent::release(std::size_t j, std::span<const double> bend) {
  const std::size_t r = p_.r;
  Block& b = blocks_[j];
  const double size = std::max(norm(b), 1e-300);
  std::vector<double> c(r);  // minus the slope of the objective without the bends
  for (std::size_t a = 0; a < r; ++a) c[a] = -slopes_[j * r + a] - (a < penalised_ ? p_.beta * b.z[a] / size : 0.0);
  std::set<std::size_t> groups;
  for (std::size_t k = 0; k < p_.n; ++k) {
    if (!b.on_wall[k]) continue;
    groups.insert(static_cast<std::size_t>(p_.group[k]));
    const double straight = b.sign * (p_.factor[k] < 0 ? 1.0 : p_.kappa) * spread(k);
    for (std::size_t a = 0; a < r; ++a) c[a] -= straight * p_.X[a * p_.n + k];
  }
  const std::vector<std::size_t> there(groups.begin(), groups.end());
  std::vector<double> weight;
  std::vector<double> normals;
  for (const std::size_t g : there) {
    weight.push_back(b.sign * bend[g]);
    normals.insert(normals.end(), normal(g), normal(g) + r);
  }
  std::vector<double> slopes(there.size(), 0.0);
  std::vector<std::size_t> kept;
  if (there.size() > b.walls.size()) {  // more walls meet than are independent
    std::vector<double> columns = normals;
    for (std::size_t q = 0; q < there.size(); ++q) {
      for (std::size_t a = 0; a < r; ++a) columns[q * r + a] *= weight[q];
    }
    const BoundedSlopes best = bounded_slopes(columns, c);
    if (best.residual <= kOutside * p_.beta) return false;
    slopes = best.s;
    for (std::size_t q = 0; q < there.size(); ++q) {
      if (slopes[q] > kOutside && slopes[q] < 1.0 - kOutside) kept.push_back(there[q]);
    }
  } else {
    const std::vector<double> multipliers = least_squares(normals, c);  // slope times weight
    double most = -INFINITY;
    std::size_t worst = 0;
    for (std::size_t q = 0; q < there.size(); ++q) {
      // A bend downwards holds nothing, and one without weight neither, whatever its slope.
      const double outside = weight[q] > 0 ? std::max(-multipliers[q], multipliers[q] - weight[q]) : INFINITY;
      slopes[q] = weight[q] != 0.0 ? multipliers[q] / weight[q] : 0.0;
      if (outside <= most) continue;
      most = outside;
      worst = q;
    }
    if (most <= kOutside * p_.beta) return false;
    for (const std::size_t g : b.walls) {
      if (g != there[worst]) kept.push_back(g);
    }
  }
  for (std::size_t q = 0; q < there.size(); ++q) {
    if (std::find(kept.begin(), kept.end(), there[q]) != kept.end()) continue;
    for (std::size_t k = 0; k < p_.n; ++k) {
      if (b.on_wall[k] && p_.group[k] == static_cast<std::int64_t>(there[q])) {
        b.side[k] = (slopes[q] >= 0.5) == (p_.factor[k] > 0) ? 1 : 0;
      }
    }
  }
  set_walls(j, std::move(kept));
  return true;
}

}  // namespace topes
