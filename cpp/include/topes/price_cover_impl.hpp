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
  constexpr double kClear = 1e-6;  // share of its size above which the sign of a sum is the same whatever the order of summation
  const List& up = node.list[0];
  const List& down = node.list[1];
  slope_.resize(down.size);
  std::vector<double> simple(down.size);
  std::vector<bool> unclear(down.size);
  for (std::uint32_t k = 0; k < down.size; ++k) {
    double sum = 0;
    double size = 0;
    for (std::size_t j = 0; j < n; ++j) {
      sum += down.z[j][k];
      size += std::abs(down.z[j][k]);
    }
    simple[k] = sum > 0 ? 1.0 : 0.0;
    unclear[k] = std::abs(sum) <= kClear * size;
  }
  for (std::size_t j = 0; j < n; ++j) {
    node.t[j] = node.linear[j];
    for (std::uint32_t k = 0; k < up.size; ++k) node.t[j] += up.weight[k] * std::max(up.z[j][k], 0.0);
    for (std::uint32_t k = 0; k < down.size; ++k) node.t[j] -= down.weight[k] * simple[k] * down.z[j][k];
  }
  const double wanted = std::max(node.bound, good_enough());
  double bound = bound_from(node.cone, node.t, node.peak);
  std::vector<double> slope = simple;
  const bool is_round = round(s_.space.ball);
  if (bound > wanted && is_round && down.size > 0 && down.size <= kFewKinks) {
    const Vector simple_peak = node.peak;
    if (best_slopes(node)) {
      const double better = bound_from(node.cone, node.t, node.peak);
      if (better < bound) {
        bound = better;
        slope = slope_;
      } else {
        node.peak = simple_peak;
      }
    }
  }
  upper_ = std::max(upper_, bound);
  for (std::uint32_t k = 0; k < down.size; ++k) {
    if (slope[k] == simple[k] && !unclear[k]) continue;
    cover.slope_leaf.push_back(static_cast<std::uint32_t>(cover.n_leaves));
    cover.slope_row.push_back(down.index[k]);
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

}  // namespace topes
