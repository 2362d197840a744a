// The search behind price(): one simplicial cone, its bound, its halves. Included by pricing.cpp only.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

#include "topes/arena.hpp"
#include "topes/concave_maximum.hpp"
#include "topes/error.hpp"
#include "topes/least_norm.hpp"
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
};

/// One halving in a path: the half that keeps vertex `kept` of an edge and moves `moved`.
template <int R>
constexpr std::uint8_t step(std::size_t kept, std::size_t moved) {
  return static_cast<std::uint8_t>(kept * R + moved);
}

/// The cone that these halvings lead to. \throws InvalidArgument if they are none
template <int R>
SimplicialCone<R> follow(SimplicialCone<R> cone, const std::vector<std::uint8_t>& path) {
  for (const std::uint8_t s : path) {
    const std::size_t kept = s / R;
    const std::size_t moved = s % R;
    if (kept >= R || kept == moved || !can_halve(cone, kept, moved)) throw InvalidArgument("pricing: there is no such cone");
    cone = half(cone, kept, moved);
  }
  return cone;
}

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
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double scale = is_round && i < round_ ? s_.space.scale[i] : 1.0;
      inverse_[i] = 1.0 / scale;
      if (i >= round_) continue;
      squares += scale * scale;
      slope_scale_[i] = scale;
      largest = std::max(largest, scale);
    }
    if (round_ < n) slope_scale_[n - 1] = kAlongAxis * largest;
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

  /// Search the cone of a piece. Afterwards upper() bounds the price on it but for the cones that open() names, which begin after
  /// `slice` cones.
  void search(const Cone& cone, const PricingPiece& piece, std::uint64_t slice) {
    max_nodes_ = piece.max_nodes;
    slice_ = slice;
    path_ = piece.cone.path;
    Node node = make_root(cone);
    node.bound = std::min(node.bound, piece.cone.bound);
    explore(node, kNoRegion);
  }

  /// The whole cone, every cone written down.
  void search_recorded(const Cone& cone, std::uint64_t max_nodes, std::uint16_t depth, PricingCover& cover) {
    max_nodes_ = max_nodes;
    Node node = make_root(cone);
    explore_recorded(node, depth, cover);
  }

  double upper() const { return upper_; }
  double best() const { return best_; }
  bool complete() const { return complete_; }
  bool late() const { return late_; }
  std::uint64_t nodes() const { return nodes_; }
  std::vector<PricedDirection>& directions() { return found_; }
  std::vector<OpenCone>& open() { return open_; }

 private:
  static constexpr std::size_t n = R;
  static constexpr std::size_t kEdges = n * (n - 1) / 2;
  static constexpr std::size_t kLists = Scalar ? 2 : 1;  // those that bend upwards first
  static constexpr std::uint32_t kFewKinks = 24;         // so few that the cone is the neighbourhood of one direction
  static constexpr std::uint32_t kFewSlopes = 32;        // so few bends downwards that their best slopes are sought whatever bends upwards
  // A price is level far along the axis of a cylinder, so that a bound on it must be, too. How much a component along it costs until it
  // is none: of 4, 8, 16 and 64 this took the fewest cones.
  static constexpr double kAlongAxis = 4;
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

  template <bool Up>
  static void place(Block& b, std::uint32_t size, Sums& sums, List& l);

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

  void place(double* linear, List& l, std::uint32_t k, double weight, const Vector& z) const;
  template <std::size_t Which, class From>
  void fill(Node& node, std::uint32_t total, From&& from);
  Node make_root(const Cone& cone);
  template <std::size_t Which>
  void fill_all(Node& node);
  Node make_half(const Node& parent, std::size_t kept, std::size_t moved);

  // Below this no cone is of interest.
  double level() const {
    const double above = std::max(0.0, best_ - s_.options.floor);
    return std::max(s_.options.floor + s_.options.keep * above, 4 * error_);
  }
  // With a direction of its neighbourhood on record a cone needs no better bound than this.
  double good_enough() const { return std::max(level(), best_ * (1.0 + s_.options.tolerance) + 2 * error_); }

  void close(const Node& node) { upper_ = std::max(upper_, node.bound); }

  bool out_of_budget() {
    if (stopped_) return true;
    if (nodes_ >= max_nodes_) {
      stopped_ = true;
    } else if (nodes_ % 64 == 0) {
      s_.control.poll();
      if (s_.options.max_seconds < 1e299 && std::chrono::steady_clock::now() > s_.deadline) stopped_ = late_ = true;
    }
    if (stopped_) complete_ = false;
    return stopped_;
  }

  // \param region  the entry of `found_` that stands for the neighbourhood of this cone
  void explore(Node& node, std::size_t region) {
    if (nodes_ >= slice_ && nodes_ < max_nodes_ && !stopped_ && node.bound > level()) {
      open_.push_back({path_, node.bound});
      return;
    }
    if (node.bound <= level() || out_of_budget()) {
      close(node);
      return;
    }
    ++nodes_;
    const bool own = region == kNoRegion && (node.size() <= kFewKinks || (Scalar && node.list[0].size == 0));
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
      std::array<std::uint8_t, 2> steps{step<R>(a, b), step<R>(b, a)};
      if (second.bound > first.bound) {
        std::swap(first, second);
        std::swap(steps[0], steps[1]);
      }
      path_.push_back(steps[0]);
      explore(first, region);
      path_.back() = steps[1];
      explore(second, region);
      path_.pop_back();
      arena_.reset(mark);
    }
    if (own && found_.back().value <= s_.options.floor) found_.pop_back();
  }

  void explore_recorded(Node& node, std::uint16_t depth, PricingCover& cover);
  void record_leaf(Node& node, PricingCover& cover);
  std::vector<double> simple_slopes(const List& l) const;

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

  double value(const Node& node, const Vector& x) const;
  void record(const Node& node, PricedDirection& d);
  static double norm(const double* x, std::size_t size) {
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += x[i] * x[i];
    return std::sqrt(sum);
  }

  // Sets node.bound, and node.peak to the direction at which it is reached.
  void evaluate(Node& node) {
    if constexpr (!Scalar) enclose(node, node.t);
    improve(node);
    if constexpr (Scalar) {
      if (node.bound > level() && takes_slopes(node)) {
        if (!round(s_.space.ball)) {
          improve_at(node, best_on_the_faces(node));
        } else if (best_slopes(node)) {
          improve(node);
        }
      }
    }
  }
  // Whether the best slopes are worth their time: where nothing bends upwards they always are, since they end the search.
  static bool takes_slopes(const Node& node) {
    const std::uint32_t down = node.list[kLists - 1].size;
    return down > 0 && (down <= kFewSlopes || node.list[0].size == 0);
  }
  void improve(Node& node) {
    const double bound = bound_from(node.cone, node.t, node.peak);
    node.bound = std::min(node.bound, bound);
  }

  // The same, where the bound is reached within the cone and not at a vertex.
  void improve_at(Node& node, const Vector& peak) {
    improve(node);
    node.peak = peak;
  }

  void enclose(Node& node, Vector& t);
  double bound_from(const Cone& cone, const Vector& t, Vector& peak) const;
  bool best_slopes(Node& node);
  Vector best_on_the_faces(Node& node);
  Vector above_bends(const Node& node) const;
  void use_slopes(Node& node, const Vector& g) const;

  const PriceShared& s_;
  int sign_;
  std::size_t outputs_;
  double best_;
  Arena& arena_;
  double upper_ = 0;
  bool complete_ = true;
  bool stopped_ = false;
  bool late_ = false;
  std::uint64_t nodes_ = 0;
  std::uint64_t max_nodes_ = ~std::uint64_t{0};
  std::uint64_t slice_ = ~std::uint64_t{0};
  std::vector<std::uint8_t> path_;  // the halvings that lead from the part to the cone at hand
  std::vector<OpenCone> open_;
  std::size_t round_ = n;  // coordinates whose 2-norm counts
  double height_ = 0;      // dual norm of the height of a cone
  double error_ = 0;       // of a bound, by the roundings of Phi
  PricedDirection probe_;
  Vector inverse_;
  Vector slope_scale_;  // of the coordinates in which the best slopes are sought
  Block block_;
  std::vector<std::uint32_t> chosen_;
  std::vector<double> slope_;
  ConcaveMaximum<R> concave_;
  LeastNorm<R> least_;
  mutable std::vector<double> scratch_;
  std::vector<PricedDirection> found_;
};

}  // namespace topes

#include "topes/price_bound_impl.hpp"
#include "topes/price_cover_impl.hpp"
#include "topes/price_lists_impl.hpp"
#include "topes/price_point_impl.hpp"
