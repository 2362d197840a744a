// Definitions of PriceSearch's members that write down the cover: every cone with its cut, every leaf with what bounds it.
// Included by price_search.hpp only.
#pragma once

#include "topes/price_search.hpp"

namespace topes {

// As explore(), with two differences: each bound is the cone's own, not its parent's, so that it can be checked where it stands; and no
// direction is looked for. The halves keep their order: first the one without vertex b.
template <int R, bool Scalar>
void PriceSearch<R, Scalar>::explore_recorded(Node& node, std::uint16_t depth, PricingCover& cover) {
  ++nodes_;
  record(node, probe_);
  cover.depth.push_back(depth);
  std::size_t a = 0;
  std::size_t b = 0;
  if (node.bound <= good_enough() || out_of_budget() || !choose_edge(node, a, b)) {
    cover.split.push_back(0);
    record_leaf(node, cover);
    return;
  }
  cover.split.push_back(static_cast<std::uint8_t>(1 + edge_number<R>(a, b)));
  const Arena::Mark mark = arena_.mark();
  node.bound = INFINITY;
  Node first = make_half(node, a, b);
  Node second = make_half(node, b, a);
  explore_recorded(first, static_cast<std::uint16_t>(depth + 1), cover);
  explore_recorded(second, static_cast<std::uint16_t>(depth + 1), cover);
  arena_.reset(mark);
}

// The simple slopes where they do, else the best; written down where another program could not know them.
template <int R, bool Scalar>
void PriceSearch<R, Scalar>::record_leaf(Node& node, PricingCover& cover) {
  const bool is_round = round(s_.space.ball);
  const List& kinks = node.list[kLists - 1];  // those that take a slope
  std::vector<double> slope = simple_slopes(kinks);
  const std::vector<double> simple = slope;
  double bound = node.bound;  // several outputs: of the simple slopes
  if constexpr (Scalar) {
    slope_ = simple;
    use_slopes(node, above_bends(node));
    const double wanted = std::max(node.bound, good_enough());
    bound = bound_from(node.cone, node.t, node.peak);
    if (bound > wanted && takes_slopes(node)) {
      const Vector simple_peak = node.peak;
      if (!is_round) best_on_the_faces(node);
      if (!is_round || best_slopes(node)) {
        const double better = bound_from(node.cone, node.t, node.peak);
        if (better < bound) {
          bound = better;
          slope = slope_;
        } else {
          node.peak = simple_peak;
        }
      }
    }
  }
  upper_ = std::max(upper_, bound);
  for (std::uint32_t k = 0; k < kinks.size; ++k) {
    constexpr double kClear = 1e-6;  // share of its size above which the sign of a sum is the same whatever the order of summation
    double sum = 0;
    double size = 0;
    for (std::size_t j = 0; j < n; ++j) {
      sum += kinks.z[j][k];
      size += std::abs(kinks.z[j][k]);
    }
    if (slope[k] == simple[k] && std::abs(sum) > kClear * size) continue;
    cover.slope_leaf.push_back(static_cast<std::uint32_t>(cover.n_leaves));
    cover.slope_row.push_back(kinks.index[k]);
    cover.slope.push_back(slope[k]);
  }
  ++cover.n_leaves;
  if (!is_round) return;
  for (std::size_t i = 0; i < n; ++i) {
    double y = 0;
    for (std::size_t j = 0; j < n; ++j) y += node.cone.vertex[j][i] * node.peak[j];
    cover.c.push_back(i < round_ ? y * inverse_[i] * inverse_[i] : 0.0);
  }
}

// Of max(0, h) >= 0 and max(0, h) >= h, the one that touches in the middle of the cone.
template <int R, bool Scalar>
std::vector<double> PriceSearch<R, Scalar>::simple_slopes(const List& l) const {
  std::vector<double> slope(l.size);
  for (std::uint32_t k = 0; k < l.size; ++k) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += l.z[j][k];
    slope[k] = sum > 0 ? 1.0 : 0.0;
  }
  return slope;
}

}  // namespace topes
