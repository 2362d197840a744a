// Definitions of PriceSearch's members that price one point of a cone. Included by price_search.hpp only.
#pragma once

#include "topes/price_search.hpp"

namespace topes {

// Price at the point sum_j x_j vertex_j.
template <int R, bool Scalar>
double PriceSearch<R, Scalar>::value(const Node& node, const Vector& x) const {
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

// Norm of a point of the cone given by its coordinates x >= 0.
template <int R, bool Scalar>
double PriceSearch<R, Scalar>::size_of(const Cone& cone, const Vector& x) const {
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
template <int R, bool Scalar>
void PriceSearch<R, Scalar>::record(const Node& node, PricedDirection& d) {
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

}  // namespace topes
