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
#include "topes/pack.hpp"
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

  /// \param arena  memory for the lists: reset here, and best kept from one search to the next
  PriceSearch(const PriceShared& shared, int sign, Arena& arena)
      : s_(shared), sign_(sign), outputs_(Scalar ? 1 : shared.weights.outputs), best_(shared.incumbent), arena_(arena) {
    const bool is_round = round(s_.space.ball);
    round_ = s_.space.ball == Ball::cylinder ? n - 1 : n;
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double scale = is_round && i < round_ ? s_.space.scale[i] : 1.0;
      square_[i] = scale * scale;
      inverse_[i] = 1.0 / scale;
      if (i < round_) squares += square_[i];
    }
    height_ = is_round ? std::sqrt(squares) + (round_ < n ? 1.0 : 0.0) : 1.0;
    error_ = 2 * s_.rounding * height_;
  }

  /// Follow the better half down to a small cone: a good price soon, best() afterwards.
  void dive(const Cone& cone) {
    Node node = make_root(cone);
    for (std::size_t a = 0, b = 0;;) {
      s_.control.poll();
      record(node, probe_);
      if (node.size() <= kFewKinks || !choose_edge(node, a, b)) return;
      Node first = make_half(node, a, b);
      Node second = make_half(node, b, a);
      node = second.bound > first.bound ? second : first;
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
    Vector t{};                // one output: a linear bound on the price, at the vertices
    std::array<List, kLists> list;
    double bound = 0;
    Vector peak{};  // where the bound is reached: coordinates in the vertices
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

  // What the hyperplanes of one list add up to, in registers.
  struct Sums {
    Vector linear{};
    Vector bound{};
    std::array<double, kEdges> gap{};
  };

  // So many hyperplanes at a time: what one pass leaves for the next stays in the nearest cache.
  static constexpr std::uint32_t kBlock = 256;
  struct Block {
    std::array<std::array<double, kBlock>, R> z;
    std::array<double, kBlock> weight;  // absolute
    std::array<double, kBlock> low;     // least and largest value at the vertices
    std::array<double, kBlock> high;
    std::array<std::uint32_t, kBlock> index;
  };

  // Append the hyperplanes that cut the cone to the list; the others are a part of the linear map or of nothing. Without branches:
  // whether a hyperplane cuts is a coin toss.
  template <bool Up>
  static void place(Block& b, std::uint32_t size, Sums& sums, List& l) {
    for (std::uint32_t k = size; k % kPack != 0; ++k) {  // fill up with nothing
      b.weight[k] = 0;
      for (auto& z : b.z) z[k] = 0;
    }
    const Pack zero{};
    std::array<Pack, R> linear{};
    std::array<Pack, R> bound{};
    std::array<Pack, kEdges> gap{};
    for (std::uint32_t k = 0; k < size; k += kPack) {
      std::array<Pack, R> z;
      for (std::size_t j = 0; j < n; ++j) z[j] = load(b.z[j].data() + k);
      const Pack weight = load(b.weight.data() + k);
      Pack low = z[0];
      Pack high = z[0];
      Pack total = z[0];
      for (std::size_t j = 1; j < n; ++j) {
        low = min(low, z[j]);
        high = max(high, z[j]);
        total += z[j];
      }
      store(b.low.data() + k, low);
      store(b.high.data() + k, high);
      const Pack whole = low >= zero ? weight : zero;
      const Pack touching = total > zero ? weight : zero;
      for (std::size_t j = 0; j < n; ++j) {
        linear[j] += whole * z[j];
        // max(0, h) <= its interpolation between the vertices, and >= 0 and h: of these two the one that touches in the middle.
        bound[j] += Up ? weight * max(z[j], zero) : touching * z[j];
      }
      if constexpr (Up) {
        for (std::size_t i = 0, e = 0; i < n; ++i) {
          for (std::size_t j = i + 1; j < n; ++j, ++e) {
            gap[e] += weight * max(min(max(z[i], z[j]), -min(z[i], z[j])), zero);
          }
        }
      }
    }
    for (std::size_t j = 0; j < n; ++j) {
      sums.linear[j] += sum(linear[j]);
      sums.bound[j] += sum(bound[j]);
    }
    for (std::size_t e = 0; e < kEdges; ++e) sums.gap[e] += sum(gap[e]);
    std::uint32_t end = l.size;
    std::uint32_t* const index = l.index;
    double* const weights = l.weight;
    const std::array<double*, R> to = l.z;
    for (std::uint32_t k = 0; k < size; ++k) {
      index[end] = b.index[k];
      weights[end] = b.weight[k];
      for (std::size_t j = 0; j < n; ++j) to[j][end] = b.z[j][k];
      end += static_cast<std::uint32_t>((b.low[k] < 0) & (b.high[k] > 0));
    }
    l.size = end;
  }

  // Sum of weight * min(|x|, |y|) over the hyperplanes that cut the edge.
  static double edge_gap(const double* x, const double* y, const double* weight, std::uint32_t size) {
    return sum_over(size, [=](std::uint32_t k) {
      return weight[k] * std::max(std::max(std::min(x[k], -y[k]), std::min(-x[k], y[k])), 0.0);
    });
  }

  // Sum of f(k) in four parts, which a processor adds side by side.
  template <class F>
  static double sum_over(std::uint32_t size, F&& f) {
    std::array<double, 4> part{};
    std::uint32_t k = 0;
    for (; k + 4 <= size; k += 4) {
      for (std::uint32_t i = 0; i < 4; ++i) part[i] += f(k + i);
    }
    for (; k < size; ++k) part[0] += f(k);
    return (part[0] + part[1]) + (part[2] + part[3]);
  }

  // The same for several outputs; gaps and bounds are left to enclose().
  void place(double* linear, List& l, std::uint32_t k, double weight, const Vector& z) const {
    const auto [low, high] = std::minmax_element(z.begin(), z.end());
    if (*low >= 0) {
      const double* a = s_.weights.bend.data() + k * outputs_;
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t c = 0; c < outputs_; ++c) linear[j * outputs_ + c] += a[c] * z[j];
      }
    } else if (*high > 0) {
      l.index[l.size] = k;
      l.weight[l.size] = weight;
      for (std::size_t j = 0; j < n; ++j) l.z[j][l.size] = z[j];
      ++l.size;
    }
  }

  // \param from  writes index, weight and z of hyperplanes [first, first + size) of the source into the block
  template <std::size_t Which, class From>
  void fill(Node& node, std::uint32_t total, From&& from) {
    List l = make_list(total + 1);  // place() writes before it knows
    Sums sums;
    for (std::uint32_t first = 0; first < total; first += kBlock) {
      const std::uint32_t size = std::min(kBlock, total - first);
      from(block_, first, size);
      if constexpr (Scalar) {
        place<Which == 0>(block_, size, sums, l);
      } else {
        for (std::uint32_t k = 0; k < size; ++k) {
          Vector z;
          for (std::size_t j = 0; j < n; ++j) z[j] = block_.z[j][k];
          place(node.linear, l, block_.index[k], block_.weight[k], z);
        }
      }
    }
    if constexpr (Scalar) {
      constexpr double kSign = Which == 0 ? 1.0 : -1.0;
      for (std::size_t j = 0; j < n; ++j) {
        node.linear[j] += kSign * sums.linear[j];
        node.t[j] += kSign * sums.bound[j];
      }
      if constexpr (Which == 0) node.gap = sums.gap;
    }
    node.list[Which] = l;
  }

  Node make_root(const Cone& cone) {
    arena_.reset({});
    Node node;
    node.cone = cone;
    node.bound = INFINITY;
    node.linear = arena_.allocate<double>(n * outputs_);
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t c = 0; c < outputs_; ++c) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += s_.weights.linear[c * n + i] * cone.vertex[j][i];
        node.linear[j * outputs_ + c] = Scalar ? sign_ * sum : sum;
      }
      node.t[j] = node.linear[j * outputs_];
    }
    fill_all<0>(node);
    if constexpr (Scalar) fill_all<1>(node);
    evaluate(node);
    return node;
  }

  // The list of all hyperplanes that bend the price the way list `Which` is for.
  template <std::size_t Which>
  void fill_all(Node& node) {
    chosen_.clear();
    for (std::uint32_t k = 0; k < s_.space.size(); ++k) {
      const double weight = weight_of(k);
      if (weight != 0.0 && (!Scalar || (weight > 0) == (Which == 0))) chosen_.push_back(k);
    }
    fill<Which>(node, static_cast<std::uint32_t>(chosen_.size()), [&](Block& b, std::uint32_t first, std::uint32_t size) {
      for (std::uint32_t k = 0; k < size; ++k) {
        const std::uint32_t at = chosen_[first + k];
        const double* h = s_.space.normals.data() + at * n;
        b.index[k] = at;
        b.weight[k] = std::abs(weight_of(at));
        for (std::size_t j = 0; j < n; ++j) {
          double sum = 0;
          for (std::size_t i = 0; i < n; ++i) sum += h[i] * node.cone.vertex[j][i];
          b.z[j][k] = sum;
        }
      }
    });
  }

  Node make_half(const Node& parent, std::size_t kept, std::size_t moved) {
    Node node;
    node.cone = half(parent.cone, kept, moved);
    node.bound = parent.bound;
    node.linear = arena_.allocate<double>(n * outputs_);
    std::copy_n(parent.linear, n * outputs_, node.linear);
    for (std::size_t c = 0; c < outputs_; ++c) {
      node.linear[moved * outputs_ + c] = 0.5 * (parent.linear[kept * outputs_ + c] + parent.linear[moved * outputs_ + c]);
    }
    for (std::size_t j = 0; j < n; ++j) node.t[j] = node.linear[j * outputs_];
    const auto of = [&](const List& from) {
      return [&](Block& b, std::uint32_t first, std::uint32_t size) {
        std::copy_n(from.index + first, size, b.index.begin());
        std::copy_n(from.weight + first, size, b.weight.begin());
        for (std::size_t j = 0; j < n; ++j) {
          if (j != moved) std::copy_n(from.z[j] + first, size, b.z[j].begin());
        }
        const double* x = from.z[kept] + first;
        const double* y = from.z[moved] + first;
        for (std::uint32_t k = 0; k < size; ++k) b.z[moved][k] = 0.5 * (x[k] + y[k]);
      };
    };
    fill<0>(node, parent.list[0].size, of(parent.list[0]));
    if constexpr (Scalar) fill<1>(node, parent.list[1].size, of(parent.list[1]));
    evaluate(node);
    return node;
  }

  // Below this no cone is of interest.
  double level() const { return std::max({s_.options.floor, s_.options.keep * best_, 4 * error_}); }
  // With a direction of its neighbourhood on record a cone needs no better bound than this.
  double good_enough() const { return std::max(level(), best_ * (1.0 + s_.options.tolerance) + 2 * error_); }

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
    if (node.bound <= level() || out_of_budget()) {
      close(node);
      return;
    }
    ++nodes_;
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
      if (second.bound > first.bound) std::swap(first, second);
      explore(first, region);
      explore(second, region);
      arena_.reset(mark);
    }
    if (own && found_.back().value <= s_.options.floor) found_.pop_back();
  }

  // The edge over which the bounds are worst: for what bends upwards, then for what bends downwards, which slopes can meet as well.
  // False: the bounds are exact up to rounding, or the cone is as small as doubles go.
  bool choose_edge(const Node& node, std::size_t& a, std::size_t& b) const {
    for (std::size_t which = 0; which < kLists; ++which) {
      double most = error_;
      bool found = false;
      for (std::size_t i = 0, e = 0; i < n; ++i) {
        for (std::size_t j = i + 1; j < n; ++j, ++e) {
          const List& l = node.list[which];
          const double gap = which == 0 ? node.gap[e] : edge_gap(l.z[i], l.z[j], l.weight, l.size);
          if (gap <= most || !can_halve(node.cone, i, j)) continue;
          most = gap;
          a = i;
          b = j;
          found = true;
        }
      }
      if (found) return true;
    }
    return false;
  }

  // Price at the point sum_j x_j vertex_j.
  double value(const Node& node, const Vector& x) const {
    if constexpr (Scalar) {
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += node.linear[j] * x[j];
      for (std::size_t which = 0; which < 2; ++which) {
        const List& l = node.list[which];
        const double part = sum_over(l.size, [&](std::uint32_t k) {
          double h = 0;
          for (std::size_t j = 0; j < n; ++j) h += l.z[j][k] * x[j];
          return l.weight[k] * std::max(h, 0.0);
        });
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
    if (!round(s_.space.ball)) return sum;
    double squares = 0;
    double along = 0;  // the axis of a cylinder
    for (std::size_t i = 0; i < n; ++i) {
      double y = 0;
      for (std::size_t j = 0; j < n; ++j) y += cone.vertex[j][i] * x[j];
      if (i < round_) {
        squares += y * y * inverse_[i] * inverse_[i];
      } else {
        along = std::abs(y);
      }
    }
    return std::max(std::sqrt(squares), along);
  }

  // Price the direction that the bound points to.
  void record(const Node& node, PricedDirection& d) {
    const double size = size_of(node.cone, node.peak);
    if (!(size > 0)) return;
    const double price = value(node, node.peak) / size;
    best_ = std::max(best_, price);
    if (price <= d.value) return;
    d.value = price;
    d.sign = sign_;
    d.w.assign(n, 0.0);
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t i = 0; i < n; ++i) d.w[i] += node.cone.vertex[j][i] * node.peak[j] / size;
    }
  }

  // Sets node.bound, and node.peak to the direction at which it is reached.
  void evaluate(Node& node) {
    if constexpr (!Scalar) enclose(node, node.t);
    improve(node);
    if constexpr (Scalar) {
      const List& down = node.list[1];
      if (node.bound > level() && down.size > 0 && down.size <= kFewKinks && round(s_.space.ball)) {
        if (best_slopes(node)) improve(node);
      }
    }
  }
  void improve(Node& node) {
    const double bound = bound_from(node.cone, node.t, node.peak);
    node.bound = std::min(node.bound, bound);
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
  double bound_from(const Cone& cone, const Vector& t, Vector& peak) const {
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
  bool best_slopes(Node& node) {
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
    for (std::size_t j = 0; j < n; ++j) {
      double sum = node.linear[j];
      for (std::uint32_t k = 0; k < node.list[0].size; ++k) sum += node.list[0].weight[k] * std::max(node.list[0].z[j][k], 0.0);
      for (std::uint32_t k = 0; k < l.size; ++k) sum -= l.weight[k] * slope_[k] * l.z[j][k];
      node.t[j] = sum;
    }
    return true;
  }

  // Coordinate descent tells which slopes and multipliers are between their ends; these few by one linear system: the least
  // ||c + D x|| over the round coordinates with no component along an axis. A wrong guess costs nothing but a weaker bound.
  void settle_slopes(const Node& node, const Vector& c, const Vector& mu) {
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

  const PriceShared& s_;
  int sign_;
  std::size_t outputs_;
  double best_;
  Arena& arena_;
  double upper_ = 0;
  bool complete_ = true;
  bool stopped_ = false;
  std::uint64_t nodes_ = 0;
  Vector square_;
  std::size_t round_ = n;  // coordinates whose 2-norm counts
  double height_ = 0;      // dual norm of the height of a cone
  double error_ = 0;       // of a bound, by the roundings of Phi
  PricedDirection probe_;
  Vector inverse_;
  Block block_;
  std::vector<std::uint32_t> chosen_;
  std::vector<double> slope_;
  mutable std::vector<double> scratch_;
  std::vector<PricedDirection> found_;
};

}  // namespace topes
