#include "topes/smooth_loss.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "topes/error.hpp"

namespace topes {

namespace {

// Share of the targets' norm below which an l2 loss has no second derivative to speak of.
constexpr double kExactFit = 1e-6;

// Where Huber's loss of a sample is a parabola; half of it is none.
bool on_the_quadratic(double f, double y, bool half) {
  const double t = f - y;
  return std::abs(t) <= 1.0 && !(half && t * y >= 0.0);
}

double sigmoid(double x) { return x >= 0 ? 1.0 / (1.0 + std::exp(-x)) : std::exp(x) / (1.0 + std::exp(x)); }

struct Term {
  double value;
  double slope;
};

// Of one sample, in its output.
template <LossKind Kind>
Term term(double f, double y) {
  const double t = f - y;
  if constexpr (Kind == LossKind::squared || Kind == LossKind::l2) {
    return {0.5 * t * t, t};
  } else if constexpr (Kind == LossKind::huber || Kind == LossKind::half_huber) {
    if (Kind == LossKind::half_huber && t * y >= 0.0) return {0.0, 0.0};
    const double size = std::abs(t);
    return {size <= 1.0 ? 0.5 * t * t : size - 0.5, std::clamp(t, -1.0, 1.0)};
  } else if constexpr (Kind == LossKind::logistic) {
    const double margin = y * f;
    return {std::max(0.0, -margin) + std::log1p(std::exp(-std::abs(margin))), -y * sigmoid(-margin)};
  } else {
    const double miss = std::max(0.0, 1.0 - y * f);
    return {miss * miss, -2.0 * y * miss};
  }
}

// The terms of each sample handed to use(i, term).
template <class Use>
void for_each(LossKind kind, std::span<const double> f, const std::vector<double>& y, Use&& use) {
  const auto all = [&]<LossKind Kind>() {
    for (std::size_t i = 0; i < y.size(); ++i) use(i, term<Kind>(f[i], y[i]));
  };
  switch (kind) {
    case LossKind::squared: return all.template operator()<LossKind::squared>();
    case LossKind::l2: return all.template operator()<LossKind::l2>();
    case LossKind::huber: return all.template operator()<LossKind::huber>();
    case LossKind::logistic: return all.template operator()<LossKind::logistic>();
    case LossKind::squared_hinge: return all.template operator()<LossKind::squared_hinge>();
    case LossKind::half_huber: return all.template operator()<LossKind::half_huber>();
  }
}

}  // namespace

LossKind loss_kind(const std::string& name) {
  if (name == "squared") return LossKind::squared;
  if (name == "l2") return LossKind::l2;
  if (name == "huber") return LossKind::huber;
  if (name == "logistic") return LossKind::logistic;
  if (name == "squared_hinge") return LossKind::squared_hinge;
  if (name == "half_huber") return LossKind::half_huber;
  throw InvalidArgument("descent needs a smooth loss, got " + name);
}

SmoothLoss::SmoothLoss(LossKind kind, std::vector<double> y) : kind_(kind), y_(std::move(y)) {
  for (const double x : y_) size_of_y_ += x * x;
  size_of_y_ = std::sqrt(size_of_y_);
}

double SmoothLoss::value(std::span<const double> f) const {
  double sum = 0;
  for_each(kind_, f, y_, [&](std::size_t, const Term& t) { sum += t.value; });
  return kind_ == LossKind::l2 ? std::sqrt(2.0 * sum) : sum;
}

SmoothLoss::Along SmoothLoss::along(std::span<const double> f, std::span<const double> d) const {
  Along sum;
  for_each(kind_, f, y_, [&](std::size_t i, const Term& t) {
    sum.value += t.value;
    sum.slope += t.slope * d[i];
  });
  if (kind_ != LossKind::l2) return sum;
  const double size = std::sqrt(2.0 * sum.value);
  return {size, size > 0 ? sum.slope / size : 0.0};
}

void SmoothLoss::gradient(std::span<const double> f, std::span<double> v) const {
  for_each(kind_, f, y_, [&](std::size_t i, const Term& t) { v[i] = t.slope; });
  if (kind_ != LossKind::l2) return;
  const double size = value(f);
  for (double& x : v) x = size > 0 ? x / size : 0.0;
}

bool SmoothLoss::curvature(std::span<const double> f, Curvature& out) const {
  out.scale = 1.0;
  out.along.clear();
  out.weights.assign(y_.size(), 1.0);
  switch (kind_) {
    case LossKind::squared: break;
    case LossKind::l2: {
      const double size = value(f);
      if (size <= kExactFit * size_of_y_) return false;
      out.scale = 1.0 / size;
      out.along.resize(y_.size());
      for (std::size_t i = 0; i < y_.size(); ++i) out.along[i] = (f[i] - y_[i]) / size;
      break;
    }
    case LossKind::huber:
    case LossKind::half_huber:
      for (std::size_t i = 0; i < y_.size(); ++i) {
        out.weights[i] = on_the_quadratic(f[i], y_[i], kind_ == LossKind::half_huber) ? 1.0 : 0.0;
      }
      break;
    case LossKind::logistic:
      for (std::size_t i = 0; i < y_.size(); ++i) out.weights[i] = sigmoid(f[i]) * sigmoid(-f[i]);
      break;
    case LossKind::squared_hinge:
      for (std::size_t i = 0; i < y_.size(); ++i) out.weights[i] = y_[i] * f[i] < 1.0 ? 2.0 : 0.0;
      break;
  }
  return true;
}

}  // namespace topes
