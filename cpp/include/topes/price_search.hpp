// The search behind price(): one simplicial cone, its bound, its halves. Included by pricing.cpp only.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

#include "topes/arena.hpp"
#include "topes/nnls.hpp"
#include "topes/predicate.hpp"
#include "topes/pricing.hpp"
#include "topes/simplex.hpp"

namespace topes {

/// What all threads of one call share: read only but for `control`.
struct PriceShared {
  const PricingSpace& space;
  const PricingWeights& weights;
  const PricingOptions& options;
  const Control& control;
  std::chrono::steady_clock::time_point deadline;
  double rounding = 0;   ///< on t_j: error of Phi at a vertex
  double incumbent = 0;  ///< best price known before
  std::uint64_t max_nodes = 0;  ///< for each task
};

/// \tparam Scalar  one output: `sign` times the price; hyperplanes of positive weight bend it upwards, the others downwards
template <int R, bool Scalar>
class PriceSearch {
 public:
  using Cone = SimplicialCone<R>;
  using Vector = std::array<double, R>;

  PriceSearch(const PriceShared& shared, int sign)
      : s_(shared), sign_(sign), outputs_(Scalar ? 1 : shared.weights.outputs), best_(shared.incumbent) {
    for (std::size_t i = 0; i < n; ++i) {
      const double scale = s_.space.ball == Ball::euclidean ? s_.space.scale[i] : 1.0;
      square_[i] = scale * scale;
      inverse_[i] = 1.0 / scale;
      height_ += square_[i];
    }
    height_ = s_.space.ball == Ball::euclidean ? std::sqrt(height_) : 1.0;
    error_ = 2 * s_.rounding * height_;
  }

  /// Follow the better half down to a small cone: a good price soon, best() afterwards.
  void dive(const Cone& cone) {
    Node node = make_root(cone);
    for (std::size_t a = 0, b = 0;;) {
      s_.control.poll();
      evaluate(node, level());
      record(node, probe_);
      if (node.size() <= kFewKinks || !choose_edge(node, a, b)) return;
      Node first = make_half(node, a, b);
      Node second = make_half(node, b, a);
      node = middle(second) > middle(first) ? second : first;
    }
  }

  /// Search the whole cone. Afterwards upper() bounds the price on it.
  void search(const Cone& cone) {
    Node node = make_root(cone);
    explore(node, kNoRegion);
  }

  double upper() const { return upper_; }
  double best() const { return best_; }
  bool complete() const { return complete_; }
  std::uint64_t nodes() const { return nodes_; }
  std::vector<PricedDirection>& directions() { return found_; }

 private:
  static constexpr std::size_t n = R;
  static constexpr std::size_t kEdges = n * (n - 1) / 2;
  static constexpr std::size_t kLists = Scalar ? 2 : 1;  // those that bend upwards first
  static constexpr std::uint32_t kFewKinks = 24;         // so few that the best slopes of all of them are sought
  static constexpr std::size_t kNoRegion = ~std::size_t{0};

  struct List {
    std::uint32_t size = 0;
    std::uint32_t* index = nullptr;
    double* weight = nullptr;         // |A_k|, or its 2-norm
    std::array<double*, R> z{};       // h_k at the vertices
  };
  struct Node {
    Cone cone;
    double* linear = nullptr;  // R x C: what is linear on the cone, at its vertices
    std::array<List, kLists> list;
    double bound = 0;
    std::array<double, kEdges> gap{};  // how far the linear bounds are from the price in the middle of each edge
    std::uint32_t size() const {
      std::uint32_t total = 0;
      for (const List& l : list) total += l.size;
      return total;
    }
  };

  List make_list(std::uint32_t size) {
    List l;
    l.index = arena_.allocate<std::uint32_t>(size);
    l.weight = arena_.allocate<double>(size);
    for (double*& z : l.z) z = arena_.allocate<double>(size);
    return l;
  }

  // Weight of hyperplane k with the sign of this search; the 2-norm for several outputs.
  double weight_of(std::size_t k) const {
    if constexpr (Scalar) {
      return sign_ * s_.weights.bend[k];
    } else {
      double sum = 0;
      for (std::size_t c = 0; c < outputs_; ++c) sum += s_.weights.bend[k * outputs_ + c] * s_.weights.bend[k * outputs_ + c];
      return std::sqrt(sum);
    }
  }

  // The hyperplane is positive on the cone: from here on it is a part of the linear map.
  template <class Z>
  void absorb(double* linear, std::size_t k, double weight, const Z& z) const {
    if constexpr (Scalar) {
      for (std::size_t j = 0; j < n; ++j) linear[j] += weight * z[j];
    } else {
      const double* a = s_.weights.bend.data() + k * outputs_;
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t c = 0; c < outputs_; ++c) linear[j * outputs_ + c] += a[c] * z[j];
      }
    }
  }

  Node make_root(const Cone& cone) {
    arena_.reset({});
    Node node;
    node.cone = cone;
    node.linear = arena_.allocate<double>(n * outputs_);
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t c = 0; c < outputs_; ++c) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += s_.weights.linear[c * n + i] * cone.vertex[j][i];
        node.linear[j * outputs_ + c] = Scalar ? sign_ * sum : sum;
      }
    }
    const auto m = static_cast<std::uint32_t>(s_.space.size());
    for (List& l : node.list) l = make_list(m);
    for (std::uint32_t k = 0; k < m; ++k) {
      const double* h = s_.space.normals.data() + k * n;
      const double weight = weight_of(k);
      if (weight == 0.0) continue;
      Vector z;
      for (std::size_t j = 0; j < n; ++j) {
        z[j] = 0;
        for (std::size_t i = 0; i < n; ++i) z[j] += h[i] * cone.vertex[j][i];
      }
      place(node, Scalar && weight < 0 ? 1 : 0, k, weight, z);
    }
    node.bound = INFINITY;
    return node;
  }

  // \param weight  with its sign
  void place(Node& node, std::size_t which, std::uint32_t k, double weight, const Vector& z) const {
    const auto [low, high] = std::minmax_element(z.begin(), z.end());
    if (*low >= 0) {
      absorb(node.linear, k, weight, z);
    } else if (*high > 0) {
      List& l = node.list[which];
      l.index[l.size] = k;
      l.weight[l.size] = std::abs(weight);
      for (std::size_t j = 0; j < n; ++j) l.z[j][l.size] = z[j];
      ++l.size;
    }
  }

  Node make_half(const Node& parent, std::size_t kept, std::size_t moved) {
    Node node;
    node.cone = half(parent.cone, kept, moved);
    node.linear = arena_.allocate<double>(n * outputs_);
    std::copy_n(parent.linear, n * outputs_, node.linear);
    for (std::size_t c = 0; c < outputs_; ++c) {
      node.linear[moved * outputs_ + c] = 0.5 * (parent.linear[kept * outputs_ + c] + parent.linear[moved * outputs_ + c]);
    }
    for (std::size_t which = 0; which < kLists; ++which) {
      const List& from = parent.list[which];
      node.list[which] = make_list(from.size);
      for (std::uint32_t k = 0; k < from.size; ++k) {
        Vector z;
        for (std::size_t j = 0; j < n; ++j) z[j] = from.z[j][k];
        z[moved] = 0.5 * (z[kept] + z[moved]);
        place(node, which, from.index[k], which == 1 ? -from.weight[k] : from.weight[k], z);
      }
    }
    node.bound = parent.bound;
    return node;
  }

  // Below this no cone is of interest.
  double level() const { return std::max({s_.options.floor, s_.options.keep * best_, 4 * error_}); }
  // With a direction of its neighbourhood on record a cone needs no better bound than this.
  double good_enough() const { return std::max(level(), best_ * (1.0 + s_.options.tolerance)); }

  void close(const Node& node) { upper_ = std::max(upper_, node.bound); }

  bool out_of_budget() {
    if (stopped_) return true;
    if (nodes_ >= s_.max_nodes) stopped_ = true;
    if (nodes_ % 64 == 0) {
      s_.control.poll();
      if (s_.options.max_seconds < 1e299 && std::chrono::steady_clock::now() > s_.deadline) stopped_ = true;
    }
    if (stopped_) complete_ = false;
    return stopped_;
  }

  // \param region  the entry of `found_` that stands for the neighbourhood of this cone
  void explore(Node& node, std::size_t region) {
    if (out_of_budget()) {
      if (node.bound == INFINITY) evaluate(node, INFINITY);
      close(node);
      return;
    }
    ++nodes_;
    evaluate(node, level());
    if (node.bound <= level()) {
      close(node);
      return;
    }
    const bool own = region == kNoRegion && node.size() <= kFewKinks;
    if (own) {
      region = found_.size();
      found_.emplace_back();
    }
    if (region != kNoRegion) record(node, found_[region]);
    std::size_t a = 0;
    std::size_t b = 0;
    if ((region != kNoRegion && node.bound <= good_enough()) || !choose_edge(node, a, b)) {
      close(node);
    } else {
      const Arena::Mark mark = arena_.mark();
      Node first = make_half(node, a, b);
      Node second = make_half(node, b, a);
      if (middle(second) > middle(first)) std::swap(first, second);
      explore(first, region);
      explore(second, region);
      arena_.reset(mark);
    }
    if (own && found_.back().value <= s_.options.floor) found_.pop_back();
  }

  // The edge over which the bounds are worst. False: they are exact, or the cone is as small as doubles go.
  bool choose_edge(const Node& node, std::size_t& a, std::size_t& b) const {
    double most = 0;
    for (std::size_t i = 0, e = 0; i < n; ++i) {
      for (std::size_t j = i + 1; j < n; ++j, ++e) {
        if (node.gap[e] > most && can_halve(node.cone, i, j)) {
          most = node.gap[e];
          a = i;
          b = j;
        }
      }
    }
    return most > 0;
  }

  // The price in the middle of the cone, of height 1: which half to look at first.
  double middle(const Node& node) const {
    Vector x;
    x.fill(1.0 / R);
    return value(node, x);
  }

  // Price at the point sum_j x_j vertex_j.
  double value(const Node& node, const Vector& x) const {
    if constexpr (Scalar) {
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += node.linear[j] * x[j];
      for (std::size_t which = 0; which < 2; ++which) {
        const List& l = node.list[which];
        double part = 0;
        for (std::uint32_t k = 0; k < l.size; ++k) {
          double h = 0;
          for (std::size_t j = 0; j < n; ++j) h += l.z[j][k] * x[j];
          part += l.weight[k] * std::max(h, 0.0);
        }
        sum += which == 0 ? part : -part;
      }
      return sum;
    } else {
      std::vector<double>& sum = scratch_;
      sum.assign(outputs_, 0.0);
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t c = 0; c < outputs_; ++c) sum[c] += node.linear[j * outputs_ + c] * x[j];
      }
      const List& l = node.list[0];
      for (std::uint32_t k = 0; k < l.size; ++k) {
        double h = 0;
        for (std::size_t j = 0; j < n; ++j) h += l.z[j][k] * x[j];
        if (h <= 0) continue;
        for (std::size_t c = 0; c < outputs_; ++c) sum[c] += s_.weights.bend[l.index[k] * outputs_ + c] * h;
      }
      return norm(sum.data(), outputs_);
    }
  }

  static double norm(const double* x, std::size_t size) {
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += x[i] * x[i];
    return std::sqrt(sum);
  }

  // Norm of a point of the cone given by its coordinates x >= 0.
  double size_of(const Cone& cone, const Vector& x) const {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += x[j];
    if (s_.space.ball != Ball::euclidean) return sum;
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double y = 0;
      for (std::size_t j = 0; j < n; ++j) y += cone.vertex[j][i] * x[j];
      squares += y * y * inverse_[i] * inverse_[i];
    }
    return std::sqrt(squares);
  }

  // Price the direction that the bound points to.
  void record(const Node& node, PricedDirection& d) {
    const double size = size_of(node.cone, peak_);
    if (!(size > 0)) return;
    const double price = value(node, peak_) / size;
    best_ = std::max(best_, price);
    if (price <= d.value) return;
    d.value = price;
    d.sign = sign_;
    d.w.assign(n, 0.0);
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t i = 0; i < n; ++i) d.w[i] += node.cone.vertex[j][i] * peak_[j] / size;
    }
  }

  // Sets node.bound and node.gap, and peak_ to the direction at which the bound is reached.
  void evaluate(Node& node, double level) {
    Vector t{};
    node.gap.fill(0.0);
    if constexpr (Scalar) {
      for (std::size_t j = 0; j < n; ++j) t[j] = node.linear[j];
      interpolate(node.list[0], t, node.gap);
      std::array<double, kEdges> gap{};
      slope_.resize(node.list[1].size);
      lean(node.list[1], t, gap);
      if (node.list[0].size == 0) node.gap = gap;
    } else {
      enclose(node, t);
    }
    lower_bound_by(node, bound_from(node.cone, t));
    if constexpr (Scalar) {
      const List& down = node.list[1];
      if (node.bound > level && down.size > 0 && down.size <= kFewKinks && s_.space.ball == Ball::euclidean) {
        if (best_slopes(node, t, level)) lower_bound_by(node, bound_from(node.cone, t));
      }
    }
  }
  void lower_bound_by(Node& node, double bound) const { node.bound = std::min(node.bound, bound); }

  // weight * max(0, h) <= its interpolation between the vertices.
  static void interpolate(const List& l, Vector& t, std::array<double, kEdges>& gap) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::uint32_t k = 0; k < l.size; ++k) sum += l.weight[k] * std::max(l.z[j][k], 0.0);
      t[j] += sum;
    }
    edge_gaps(l, gap);
  }

  static void edge_gaps(const List& l, std::array<double, kEdges>& gap) {
    for (std::size_t i = 0, e = 0; i < n; ++i) {
      for (std::size_t j = i + 1; j < n; ++j, ++e) {
        double sum = 0;
        for (std::uint32_t k = 0; k < l.size; ++k) {
          // min(|z_i|, |z_j|) where the signs differ, else 0
          const double x = l.z[i][k];
          const double y = l.z[j][k];
          const double up = std::min(std::max(x, 0.0), std::max(-y, 0.0));
          const double down = std::min(std::max(-x, 0.0), std::max(y, 0.0));
          sum += l.weight[k] * (up + down);
        }
        gap[e] += sum;
      }
    }
  }

  // -weight * max(0, h) <= -weight * slope * h for any slope from 0 to 1: the one that touches in the middle.
  void lean(const List& l, Vector& t, std::array<double, kEdges>& gap) {
    for (std::uint32_t k = 0; k < l.size; ++k) {
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += l.z[j][k];
      slope_[k] = sum > 0 ? 1.0 : 0.0;
    }
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::uint32_t k = 0; k < l.size; ++k) sum += l.weight[k] * slope_[k] * l.z[j][k];
      t[j] -= sum;
    }
    edge_gaps(l, gap);
  }

  // Several outputs: Phi lies within a radius of a linear map, both linear in the point; so the norm at the vertices serves.
  void enclose(Node& node, Vector& t) {
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
    edge_gaps(l, node.gap);
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
  double bound_from(const Cone& cone, const Vector& t) {
    constexpr double kUp = 1.0 + 64 * kRoundoff;
    if (s_.space.ball != Ball::euclidean) {  // the height has dual norm 1
      std::size_t top = 0;
      for (std::size_t j = 1; j < n; ++j) top = t[j] > t[top] ? j : top;
      peak_.fill(0.0);
      peak_[top] = 1.0;
      return std::max(0.0, t[top]) * kUp + error_;
    }
    std::array<Vector, R> G;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        double sum = 0;  // one orthant: no cancellation
        for (std::size_t k = 0; k < n; ++k) sum += cone.vertex[i][k] * cone.vertex[j][k] * (inverse_[k] * inverse_[k]);
        G[i][j] = G[j][i] = sum;
      }
    }
    peak_ = nonnegative_least_squares<R>(G, t);
    double squares = 0;
    double lift = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double y = 0;
      for (std::size_t j = 0; j < n; ++j) y += cone.vertex[j][i] * peak_[j];
      squares += (y * inverse_[i]) * (y * inverse_[i]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      double reached = 0;
      for (std::size_t j = 0; j < n; ++j) reached += G[i][j] * peak_[j];
      lift = std::max(lift, t[i] - reached * (1.0 - 64 * kRoundoff));
    }
    return (std::sqrt(squares) + lift * height_ + error_) * kUp;
  }

  // Slopes of the kinks that bend downwards, by coordinate descent on the dual norm of c(slopes) + sum of mu_j dual_j, mu >= 0: where
  // nothing bends upwards the bound becomes the price itself. \param t  in and out
  bool best_slopes(const Node& node, Vector& t, double level) {
    constexpr int kSweeps = 24;
    const List& l = node.list[1];
    Vector c{};
    Vector w;
    Vector mu{};
    Vector dual_square;
    for (std::size_t j = 0; j < n; ++j) {
      dual_square[j] = 0;
      for (std::size_t i = 0; i < n; ++i) {
        c[i] += t[j] * node.cone.dual[j][i];
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
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
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
      const double after = size();
      if (after <= level * level || after > (1.0 - 1e-9) * before) break;
      before = after;
    }
    if (!moved) return false;
    for (std::size_t j = 0; j < n; ++j) {
      double sum = node.linear[j];
      for (std::uint32_t k = 0; k < node.list[0].size; ++k) sum += node.list[0].weight[k] * std::max(node.list[0].z[j][k], 0.0);
      for (std::uint32_t k = 0; k < l.size; ++k) sum -= l.weight[k] * slope_[k] * l.z[j][k];
      t[j] = sum;
    }
    return true;
  }

  const PriceShared& s_;
  int sign_;
  std::size_t outputs_;
  double best_;
  double upper_ = 0;
  bool complete_ = true;
  bool stopped_ = false;
  std::uint64_t nodes_ = 0;
  Vector square_;
  double height_ = 0;  // dual norm of the height of a cone
  double error_ = 0;   // of a bound, by the roundings of Phi
  PricedDirection probe_;
  Vector inverse_;
  Vector peak_{};
  std::vector<double> slope_;
  mutable std::vector<double> scratch_;
  std::vector<PricedDirection> found_;
  Arena arena_;
};

}  // namespace topes
