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

// Price the direction that the bound points to. Far along the axis of a cylinder the price is level, and so is the bound: the price there
// is that of the point nearer by, on the rim.
template <int R, bool Scalar>
void PriceSearch<R, Scalar>::record(const Node& node, PricedDirection& d) {
  Vector w{};
  double height = 0;
  double squares = 0;
  for (std::size_t j = 0; j < n; ++j) height += node.peak[j];
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) w[i] += node.cone.vertex[j][i] * node.peak[j];
    if (i < round_) squares += (w[i] * inverse_[i]) * (w[i] * inverse_[i]);
  }
  const double size = round(s_.space.ball) ? std::sqrt(squares) : height;
  if (!(size > 0)) return;
  double reached = value(node, node.peak);
  if (round_ < n && std::abs(w[n - 1]) > size) {
    w[n - 1] = std::copysign(size, w[n - 1]);
    reached -= s_.rounding * height;  // which may be much beside what is left near the axis
  }
  const double price = reached / size;
  best_ = std::max(best_, price);
  if (price <= d.value) return;
  d.value = price;
  d.sign = sign_;
  d.w.assign(w.begin(), w.end());
  for (double& x : d.w) x /= size;
}

}  // namespace topes
