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

// Slopes of the kinks that bend downwards that make the dual norm of the linear bound least: where nothing bends upwards the bound becomes
// the price itself. Changes node.t; false if nothing was changed.
template <int R, bool Scalar>
bool PriceSearch<R, Scalar>::best_slopes(Node& node) {
  const List& l = node.list[1];
  const Vector g = above_bends(node);
  Vector base{};
  Vector direction{};
  std::array<Vector, R> rays;
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = 0; i < n; ++i) {
      rays[j][i] = slope_scale_[i] * node.cone.dual[j][i];
      base[i] += g[j] * rays[j][i];
      direction[i] += node.cone.vertex[j][i] * node.peak[j] / slope_scale_[i];
    }
  }
  least_.start(base, rays);
  for (std::uint32_t k = 0; k < l.size; ++k) {
    const double* h = s_.space.normals.data() + l.index[k] * n;
    Vector generator;
    for (std::size_t i = 0; i < n; ++i) generator[i] = l.weight[k] * slope_scale_[i] * h[i];
    least_.add(generator);
  }
  const bool has_axis = round_ < n;
  const double enough = has_axis ? 0.0 : (level() - 2 * error_) * (1.0 - 1e-13);  // what bound_from() makes of it is at most level()
  if (!least_.run(direction, enough, node.list[0].size > 0 ? good_enough() : INFINITY)) return false;
  if (has_axis) least_.forbid_last();
  slope_.resize(l.size);
  for (std::uint32_t k = 0; k < l.size; ++k) slope_[k] = least_.slope(k);
  use_slopes(node, g);
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

}  // namespace topes
