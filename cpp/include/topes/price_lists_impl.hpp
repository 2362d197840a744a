// Definitions of PriceSearch's members that make cones with their lists of hyperplanes: roots and halves. Included by price_search.hpp only.
#pragma once

#include "topes/price_search.hpp"

namespace topes {

// Append the hyperplanes that cut the cone to the list; the others are a part of the linear map or of nothing. Without branches:
// whether a hyperplane cuts is a coin toss.
template <int R, bool Scalar>
template <bool Up>
void PriceSearch<R, Scalar>::place(Block& b, std::uint32_t size, Sums& sums, List& l) {
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

// The same for several outputs; gaps and bounds are left to enclose().
template <int R, bool Scalar>
void PriceSearch<R, Scalar>::place(double* linear, List& l, std::uint32_t k, double weight, const Vector& z) const {
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
template <int R, bool Scalar>
template <std::size_t Which, class From>
void PriceSearch<R, Scalar>::fill(Node& node, std::uint32_t total, From&& from) {
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

template <int R, bool Scalar>
typename PriceSearch<R, Scalar>::Node PriceSearch<R, Scalar>::make_root(const Cone& cone) {
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
template <int R, bool Scalar>
template <std::size_t Which>
void PriceSearch<R, Scalar>::fill_all(Node& node) {
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

template <int R, bool Scalar>
typename PriceSearch<R, Scalar>::Node PriceSearch<R, Scalar>::make_half(const Node& parent, std::size_t kept, std::size_t moved) {
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

}  // namespace topes
