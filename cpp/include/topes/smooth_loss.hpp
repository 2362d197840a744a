// The losses that have second derivatives, as the descent needs them: values, slopes, curvature. Twin: topes/losses.py.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace topes {

/// L(f, y), a sum over samples but for `l2`, as in topes/losses.py. The last three take labels -1 and +1, those of
/// `half_huber` of any size: it is Huber's loss of what f lacks of y.
enum class LossKind { squared, l2, huber, logistic, squared_hinge, half_huber };

/// \throws InvalidArgument for a name that is not one of the kinds
LossKind loss_kind(const std::string& name);

class SmoothLoss {
 public:
  struct Along {
    double value = 0;
    double slope = 0;
  };
  /// The Hessian in f: scale * (diag(weights) - along along').
  struct Curvature {
    std::vector<double> weights;
    double scale = 1;
    std::vector<double> along;  ///< empty for none
  };

  SmoothLoss(LossKind kind, std::vector<double> y);

  LossKind kind() const { return kind_; }
  std::size_t size() const { return y_.size(); }
  double value(std::span<const double> f) const;
  /// The value at f, and the slope of the value in the direction d.
  Along along(std::span<const double> f, std::span<const double> d) const;
  void gradient(std::span<const double> f, std::span<double> v) const;
  /// False where there is none: l2 next to an exact fit.
  bool curvature(std::span<const double> f, Curvature& out) const;

 private:
  LossKind kind_;
  std::vector<double> y_;
  double size_of_y_ = 0;
};

}  // namespace topes
