// Definitions of PriceSearch's members that bound a cone: the dual norm, the slopes of downward kinks, several outputs. Included by price_search.hpp only.
#pragma once

#include "topes/price_search.hpp"

namespace topes {

// Several outputs: Phi lies within a radius of a linear map, both linear in the point; so the norm at the vertices serves.
template <int R, bool Scalar>
void PriceSearch<R, Scalar>::enclose(Node& node, Vector& t) {
  const List& l = node.list[0];
  scratch_.assign(n * outputs_, 0.0);
  std::copy_n(node.linear, n * outputs_, scratch_.begin());
  Vector radius{};
  for (std::uint32_t k = 0; k < l.size; ++k) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += l.z[j][k];
    const double* a = s_.weights.bend.data() + l.index[k] * outputs_;
    for (std::size_t j = 0; j < n; ++j) {
      const double z = l.z[j][k];
      const double below = sum > 0 ? z : 0.0;
      const double above = std::max(z, 0.0);
      radius[j] += 0.5 * l.weight[k] * (above - below);
      for (std::size_t c = 0; c < outputs_; ++c) scratch_[j * outputs_ + c] += 0.5 * (above + below) * a[c];
    }
  }
  for (std::size_t j = 0; j < n; ++j) t[j] = norm(scratch_.data() + j * outputs_, outputs_) + radius[j];
  for (std::size_t i = 0, e = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j, ++e) {
      node.gap[e] = edge_gap(l.z[i], l.z[j], l.weight, l.size);
    }
  }
  // A norm of a linear map is convex: its interpolation is too large in the middle of an edge.
  for (std::size_t i = 0, e = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j, ++e) {
      double squares = 0;
      for (std::size_t c = 0; c < outputs_; ++c) {
        const double x = 0.5 * (scratch_[i * outputs_ + c] + scratch_[j * outputs_ + c]);
        squares += x * x;
      }
      node.gap[e] += 0.5 * (t[i] - radius[i] + t[j] - radius[j]) - std::sqrt(squares);
    }
  }
}

// The largest dual norm argument: c with c.vertex_j >= t_j, of small dual norm. Rigorous for whatever x the solver returns.
template <int R, bool Scalar>
double PriceSearch<R, Scalar>::bound_from(const Cone& cone, const Vector& t, Vector& peak) const {
  constexpr double kUp = 1.0 + 64 * kRoundoff;
  if (!round(s_.space.ball)) {  // the height has dual norm 1
    std::size_t top = 0;
    for (std::size_t j = 1; j < n; ++j) top = t[j] > t[top] ? j : top;
    peak.fill(0.0);
    peak[top] = 1.0;
    return std::max(0.0, t[top]) * kUp + error_;
  }
  std::array<Vector, R> G;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = 0;  // one orthant: no cancellation
      for (std::size_t k = 0; k < round_; ++k) sum += cone.vertex[i][k] * cone.vertex[j][k] * (inverse_[k] * inverse_[k]);
      G[i][j] = G[j][i] = sum;
    }
  }
  peak = nonnegative_least_squares<R>(G, t);
  double squares = 0;
  double lift = 0;
  for (std::size_t i = 0; i < round_; ++i) {
    double y = 0;
    for (std::size_t j = 0; j < n; ++j) y += cone.vertex[j][i] * peak[j];
    squares += (y * inverse_[i]) * (y * inverse_[i]);
  }
  for (std::size_t i = 0; i < n; ++i) {
    double reached = 0;
    for (std::size_t j = 0; j < n; ++j) reached += G[i][j] * peak[j];
    lift = std::max(lift, t[i] - reached * (1.0 - 64 * kRoundoff));
  }
  return (std::sqrt(squares) + lift * height_ + error_) * kUp;
}

// Slopes of the kinks that bend downwards, by coordinate descent on the dual norm of c(slopes) + sum of mu_j dual_j, mu >= 0: where
// nothing bends upwards the bound becomes the price itself. Changes node.t.
template <int R, bool Scalar>
bool PriceSearch<R, Scalar>::best_slopes(Node& node) {
  const bool has_axis = round_ < n;
  const int sweeps = has_axis ? 64 : 24;
  const List& l = node.list[1];
  const double enough = level() * level();
  slope_.resize(l.size);
  for (std::uint32_t k = 0; k < l.size; ++k) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += l.z[j][k];
    slope_[k] = sum > 0 ? 1.0 : 0.0;
  }
  Vector c{};
  Vector w;
  Vector mu{};
  Vector dual_square;
  for (std::size_t j = 0; j < n; ++j) {
    dual_square[j] = 0;
    for (std::size_t i = 0; i < n; ++i) {
      c[i] += node.t[j] * node.cone.dual[j][i];
      dual_square[j] += square_[i] * node.cone.dual[j][i] * node.cone.dual[j][i];
    }
  }
  for (std::size_t i = 0; i < n; ++i) w[i] = square_[i] * c[i];
  const auto size = [&] {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += c[i] * w[i];
    return sum;
  };
  double before = size();
  bool moved = false;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (std::size_t j = 0; j < n; ++j) {
      double slope = 0;
      for (std::size_t i = 0; i < n; ++i) slope += node.cone.dual[j][i] * w[i];
      const double step = std::max(-mu[j], -slope / dual_square[j]);
      if (step == 0.0) continue;
      mu[j] += step;
      for (std::size_t i = 0; i < n; ++i) {
        c[i] += step * node.cone.dual[j][i];
        w[i] += step * square_[i] * node.cone.dual[j][i];
      }
    }
    for (std::uint32_t k = 0; k < l.size; ++k) {
      const double* h = s_.space.normals.data() + l.index[k] * n;
      double slope = 0;
      double squares = 0;
      for (std::size_t i = 0; i < n; ++i) {
        slope += h[i] * w[i];
        squares += square_[i] * h[i] * h[i];
      }
      const double to = std::clamp(slope_[k] + slope / (l.weight[k] * squares), 0.0, 1.0);
      const double step = (to - slope_[k]) * l.weight[k];
      if (step == 0.0) continue;
      slope_[k] = to;
      moved = true;
      for (std::size_t i = 0; i < n; ++i) {
        c[i] -= step * h[i];
        w[i] -= step * square_[i] * h[i];
      }
    }
    if (has_axis) {  // c must have no component along it: the method of multipliers, the multiplier being that coordinate of w
      w[n - 1] += square_[n - 1] * c[n - 1];
      continue;
    }
    const double after = size();
    if (after <= enough || after > (1.0 - 1e-9) * before) break;
    before = after;
  }
  if (!moved) return false;
  settle_slopes(node, c, mu);
  use_slopes(node, above_bends(node));
  return true;
}

// Where the ball is a polytope the height of a point is linear in it, so that the best slopes are a small linear program: with them the
// bound is the price itself where nothing bends upwards. Changes node.t; returns where the bound is reached.
template <int R, bool Scalar>
typename PriceSearch<R, Scalar>::Vector PriceSearch<R, Scalar>::best_on_the_faces(Node& node) {
  const List& down = node.list[1];
  const Vector g = above_bends(node);
  const Vector x = concave_.run(g, down.z, down.weight, down.size, slope_);
  use_slopes(node, g);
  return x;
}

// What is linear on the cone and what bends upwards, at the vertices.
template <int R, bool Scalar>
typename PriceSearch<R, Scalar>::Vector PriceSearch<R, Scalar>::above_bends(const Node& node) const {
  const List& up = node.list[0];
  Vector g;
  for (std::size_t j = 0; j < n; ++j) {
    g[j] = node.linear[j];
    for (std::uint32_t k = 0; k < up.size; ++k) g[j] += up.weight[k] * std::max(up.z[j][k], 0.0);
  }
  return g;
}

// Sets node.t to g less these slopes of the kinks that bend downwards.
template <int R, bool Scalar>
void PriceSearch<R, Scalar>::use_slopes(Node& node, const Vector& g) const {
  const List& down = node.list[1];
  for (std::size_t j = 0; j < n; ++j) {
    double sum = g[j];
    for (std::uint32_t k = 0; k < down.size; ++k) sum -= down.weight[k] * slope_[k] * down.z[j][k];
    node.t[j] = sum;
  }
}

// Coordinate descent tells which slopes and multipliers are between their ends; these few by one linear system: the least
// ||c + D x|| over the round coordinates with no component along an axis. A wrong guess costs nothing but a weaker bound.
template <int R, bool Scalar>
void PriceSearch<R, Scalar>::settle_slopes(const Node& node, const Vector& c, const Vector& mu) {
  constexpr std::size_t kMost = 2 * n;
  const List& l = node.list[1];
  std::array<Vector, kMost> D;
  std::array<std::uint32_t, kMost> which{};
  std::size_t m = 0;
  for (std::uint32_t k = 0; k < l.size; ++k) {
    if (slope_[k] <= 0 || slope_[k] >= 1) continue;
    if (m == kMost) return;
    which[m] = k;
    for (std::size_t i = 0; i < n; ++i) D[m][i] = -l.weight[k] * s_.space.normals[l.index[k] * n + i];
    ++m;
  }
  const std::size_t n_slopes = m;
  if (n_slopes == 0) return;
  for (std::size_t j = 0; j < n; ++j) {
    if (mu[j] <= 0) continue;
    if (m == kMost) return;
    D[m++] = node.cone.dual[j];
  }
  const bool has_axis = round_ < n;
  const std::size_t size = m + (has_axis ? 1 : 0);
  std::array<std::array<double, kMost + 2>, kMost + 1> a{};
  for (std::size_t p = 0; p < m; ++p) {
    for (std::size_t i = 0; i < round_; ++i) {
      for (std::size_t q = 0; q < m; ++q) a[p][q] += D[p][i] * square_[i] * D[q][i];
      a[p][size] -= D[p][i] * square_[i] * c[i];
    }
    if (has_axis) a[p][m] = a[m][p] = D[p][n - 1];
  }
  if (has_axis) a[m][size] = -c[n - 1];
  for (std::size_t p = 0; p < size; ++p) {  // Gauss-Jordan with pivots
    std::size_t pivot = p;
    for (std::size_t q = p + 1; q < size; ++q) pivot = std::abs(a[q][p]) > std::abs(a[pivot][p]) ? q : pivot;
    if (!(std::abs(a[pivot][p]) > 0)) return;
    std::swap(a[pivot], a[p]);
    for (std::size_t q = 0; q < size; ++q) {
      if (q == p) continue;
      const double f = a[q][p] / a[p][p];
      for (std::size_t i = p; i <= size; ++i) a[q][i] -= f * a[p][i];
    }
  }
  for (std::size_t p = 0; p < n_slopes; ++p) {
    const double x = slope_[which[p]] + a[p][size] / a[p][p];
    if (!(x >= -0.5 && x <= 1.5)) return;  // not the right guess
  }
  for (std::size_t p = 0; p < n_slopes; ++p) {
    slope_[which[p]] = std::clamp(slope_[which[p]] + a[p][size] / a[p][p], 0.0, 1.0);
  }
}

}  // namespace topes
