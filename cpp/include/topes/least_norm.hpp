// The point of least norm in a zonotope plus a cone, with the coefficients that make it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "topes/pack.hpp"

namespace topes {

/// Minimises ||base - sum_k s_k h_k + sum_j mu_j ray_j|| over s in [0, 1]^m and mu >= 0 by the method of P. Wolfe, Finding the nearest
/// point in a polytope, Mathematical Programming 11 (1976): the least point of the convex hull of a few vertices, plus a few rays, to
/// which the vertex or the ray that is best for it is added until none is better. There are at most R + 1 of them, whatever m, and a
/// few steps do.
///
/// What it leaves is a point of the set whatever rounding did to it; only how small it is depends on that.
template <int R>
class LeastNorm {
 public:
  using Vector = std::array<double, R>;

  void start(const Vector& base, const std::array<Vector, R>& rays) {
    base_ = base;
    m_ = 0;
    for (auto& h : h_) h.clear();
    largest_ = largest(base);
    for (std::size_t j = 0; j < n; ++j) {
      const double size = std::sqrt(dot(rays[j], rays[j]));
      for (std::size_t i = 0; i < n; ++i) ray_[j][i] = size > 0 ? rays[j][i] / size : 0.0;
    }
  }

  /// The next h_k. \pre run() has not been called since start()
  void add(const Vector& h) {
    for (std::size_t i = 0; i < n; ++i) h_[i].push_back(h[i]);
    largest_ = std::max(largest_, largest(h));
    ++m_;
  }

  /// \param direction  where to begin: a guess at the least point, with ray_j.direction >= 0
  /// \param enough     a point of this norm is small enough
  /// \param hopeless   stop when no point can have a norm of this or less
  /// \return false if that is so at the beginning: nothing was done
  bool run(const Vector& direction, double enough, double hopeless) {
    for (auto& h : h_) h.resize((m_ + kPack - 1) / kPack * kPack, 0.0);
    size_ = 1;
    corral_[0] = vertex(direction);
    corral_[0].share = 1;
    if (dot(corral_[0].point, direction) > hopeless * std::sqrt(dot(direction, direction))) return false;
    Vector x = corral_[0].point;
    for (int step = 0; step < kMostSteps; ++step) {
      const double squares = dot(x, x);
      if (squares <= enough * enough) return true;
      const double rounding = kNear * std::sqrt(squares);
      Member next = best_ray(x, rounding);
      if (next.ray < 0) {
        next = vertex(x);
        const double low = dot(next.point, x);  // no point of the set is nearer than low / ||x||
        if (low >= squares - rounding * largest_ || low > hopeless * std::sqrt(squares) || has_vertex(next)) return true;
      }
      if (size_ > n) return true;
      corral_[size_++] = next;
      if (!settle()) return true;
      x = point();
    }
    return true;
  }

  /// After run() to the end: the point whose last coordinate is 0 that is least in the others. The price m of that coordinate, added
  /// to the base, is sought; what is left of the coordinate falls as m grows, piece by piece linearly, so that secants find where it is 0.
  /// point() is then that point with m in the place of the zero.
  void forbid_last() {
    const double base = base_[n - 1];
    double m = 0;
    double left = point()[n - 1];
    double slope = -1;
    std::array<double, 2> side{-INFINITY, INFINITY};  // where something positive and something negative is left
    for (int round = 0; round < kMostRounds && std::abs(left) > 10 * kNear * largest_; ++round) {
      side[left > 0 ? 0 : 1] = m;
      double to = m - left / slope;
      if (!(to > side[0] && to < side[1])) to = 0.5 * (side[0] + side[1]);
      if (!(to > side[0] && to < side[1])) return;
      base_[n - 1] = base + to;
      run(point(), 0.0, INFINITY);
      const double now = point()[n - 1] - to;
      const double secant = (now - left) / (to - m);
      slope = secant < 0 ? secant : slope / 4;  // where it is level, further
      m = to;
      left = now;
    }
  }

  /// The coefficient of h_k.
  double slope(std::uint32_t k) const {
    double s = 0;
    bool in_all = true;
    for (std::size_t p = 0; p < size_; ++p) {
      if (corral_[p].ray >= 0) continue;
      double along = 0;  // in the order of vertex()
      for (std::size_t i = 0; i < n; ++i) along += h_[i][k] * corral_[p].direction[i];
      if (along > 0) {
        s += corral_[p].share;
      } else if (corral_[p].share > 0) {
        in_all = false;
      }
    }
    return in_all ? 1.0 : std::clamp(s, 0.0, 1.0);
  }

  /// The least point.
  Vector point() const {
    Vector x{};
    for (std::size_t p = 0; p < size_; ++p) {
      for (std::size_t i = 0; i < n; ++i) x[i] += corral_[p].share * corral_[p].point[i];
    }
    return x;
  }

 private:
  static constexpr std::size_t n = R;
  static constexpr int kMostSteps = 64;
  static constexpr int kMostRounds = 24;
  static constexpr double kNear = 1e-14;  // a gain that rounding can feign, as a share

  struct Member {
    Vector point{};
    Vector direction{};  // in which a vertex is least: it has those h_k that point that way
    int ray = -1;
    double share = 0;
  };

  static double dot(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
  }

  // The vertex of the zonotope that is least in direction x.
  Member vertex(const Vector& x) const {
    Member v;
    v.direction = x;
    const Pack zero{};
    std::array<Pack, R> taken{};
    for (std::uint32_t k = 0; k < m_; k += kPack) {
      std::array<Pack, R> h;
      Pack along{};
      for (std::size_t i = 0; i < n; ++i) {
        h[i] = load(h_[i].data() + k);
        along += h[i] * x[i];
      }
      for (std::size_t i = 0; i < n; ++i) taken[i] += along > zero ? h[i] : zero;
    }
    for (std::size_t i = 0; i < n; ++i) v.point[i] = base_[i] - sum(taken[i]);
    return v;
  }

  static double largest(const Vector& x) {
    double most = 0;
    for (const double each : x) most = std::max(most, std::abs(each));
    return most;
  }

  // Rounding can make a member look better than the least point that it is a part of.
  bool has_vertex(const Member& v) const {
    for (std::size_t p = 0; p < size_; ++p) {
      if (corral_[p].ray < 0 && corral_[p].point == v.point) return true;
    }
    return false;
  }
  bool has_ray(int j) const {
    for (std::size_t p = 0; p < size_; ++p) {
      if (corral_[p].ray == j) return true;
    }
    return false;
  }

  // The ray along which ||x|| falls most, if any.
  Member best_ray(const Vector& x, double rounding) const {
    Member best;
    double most = -rounding;
    for (std::size_t j = 0; j < n; ++j) {
      const double slope = dot(ray_[j], x);
      if (slope >= most || has_ray(static_cast<int>(j))) continue;
      most = slope;
      best.ray = static_cast<int>(j);
    }
    if (best.ray >= 0) best.point = ray_[static_cast<std::size_t>(best.ray)];
    return best;
  }

  // Shares of the least point of the hull of what is in; members whose share would be negative leave. False: rounding forbids it, and
  // the last shares stay.
  bool settle() {
    for (;;) {
      std::array<double, R + 1> wanted;
      if (!least_of_affine_hull(wanted)) return false;
      double step = 1;
      std::size_t leave = size_;
      for (std::size_t p = 0; p < size_; ++p) {
        const double share = corral_[p].share;
        if (wanted[p] > 0) continue;
        const double ratio = share > 0 ? share / (share - wanted[p]) : 0.0;
        if (leave == size_ || ratio < step) {
          step = ratio;
          leave = p;
        }
      }
      for (std::size_t p = 0; p < size_; ++p) {
        corral_[p].share = leave == size_ ? wanted[p] : std::max(0.0, corral_[p].share + step * (wanted[p] - corral_[p].share));
      }
      if (leave == size_) return true;
      drop(leave);
    }
  }

  void drop(std::size_t p) { corral_[p] = corral_[--size_]; }

  // The least ||sum of wanted_p point_p|| with shares of vertices that add up to 1. Up to a factor that is the least squares problem of the
  // points with one more coordinate, `unit` for vertices and 0 for rays, against that coordinate alone. By Gram and Schmidt, since the rays
  // of a thin cone are close to dependent: in a matrix of products that would be lost.
  bool least_of_affine_hull(std::array<double, R + 1>& wanted) const {
    using Column = std::array<double, R + 1>;
    std::array<Column, R + 1> q;
    std::array<Column, R + 1> r;
    const double unit = std::sqrt(dot(corral_[0].point, corral_[0].point));
    Column right{};
    right[n] = 1.0;
    for (std::size_t p = 0; p < size_; ++p) {
      Column& column = q[p];
      std::copy_n(corral_[p].point.begin(), n, column.begin());
      column[n] = corral_[p].ray < 0 ? unit : 0.0;
      const double before = norm(column);
      for (std::size_t k = 0; k < p; ++k) r[k][p] = take_out(q[k], column);
      r[p][p] = norm(column);
      if (!(r[p][p] > 1e-14 * before)) return false;
      for (double& x : column) x /= r[p][p];
      wanted[p] = take_out(column, right);
    }
    double total = 0;
    for (std::size_t p = size_; p-- > 0;) {
      for (std::size_t k = p + 1; k < size_; ++k) wanted[p] -= r[p][k] * wanted[k];
      wanted[p] /= r[p][p];
      if (corral_[p].ray < 0) total += wanted[p];
    }
    if (!(total > 0)) return false;
    for (std::size_t p = 0; p < size_; ++p) wanted[p] /= total;
    return true;
  }

  static double norm(const std::array<double, R + 1>& x) {
    double sum = 0;
    for (const double each : x) sum += each * each;
    return std::sqrt(sum);
  }

  // The component of x along a unit vector, taken out of x.
  static double take_out(const std::array<double, R + 1>& unit, std::array<double, R + 1>& x) {
    double along = 0;
    for (std::size_t i = 0; i <= n; ++i) along += unit[i] * x[i];
    for (std::size_t i = 0; i <= n; ++i) x[i] -= along * unit[i];
    return along;
  }

  Vector base_{};
  double largest_ = 0;  // of the coordinates of base and h
  std::array<Vector, R> ray_;
  std::uint32_t m_ = 0;
  std::array<std::vector<double>, R> h_;
  std::array<Member, R + 1> corral_;
  std::size_t size_ = 0;
};

}  // namespace topes
