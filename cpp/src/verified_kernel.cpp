#include "topes/verified_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "topes/predicate.hpp"

namespace topes {

VerifiedKernel::VerifiedKernel(int rank, double row_error)
    : r_(static_cast<std::size_t>(rank)), row_error_(row_error) {
  if (r_ < 2) return;
  work_.resize((r_ - 1) * (2 * r_ - 1));
  pivot_.resize(r_ - 1);
  x_.resize(r_);
  residual_.resize(r_ - 1);
}

// Gauss-Jordan on [N | I]; each row takes its largest entry as pivot. Afterwards Y is the right part.
bool VerifiedKernel::invert(std::span<const double* const> rows) {
  const std::size_t k = r_ - 1;
  const std::size_t width = 2 * r_ - 1;
  for (std::size_t i = 0; i < k; ++i) {
    double* to = work_.data() + i * width;
    std::copy_n(rows[i], r_, to);
    std::fill_n(to + r_, k, 0.0);
    to[r_ + i] = 1.0;
  }
  for (std::size_t i = 0; i < k; ++i) {
    double* row = work_.data() + i * width;
    std::size_t pivot = 0;
    for (std::size_t j = 1; j < r_; ++j) {
      if (std::abs(row[j]) > std::abs(row[pivot])) pivot = j;
    }
    if (!(std::abs(row[pivot]) > 0x1p-500)) return false;
    pivot_[i] = pivot;
    const double scale = 1.0 / row[pivot];
    for (std::size_t j = 0; j < width; ++j) row[j] *= scale;
    row[pivot] = 1.0;
    for (std::size_t other = 0; other < k; ++other) {
      if (other == i) continue;
      double* target = work_.data() + other * width;
      const double factor = target[pivot];
      if (factor == 0) continue;
      for (std::size_t j = 0; j < width; ++j) target[j] -= factor * row[j];
      target[pivot] = 0.0;
    }
  }
  return true;
}

std::optional<double> VerifiedKernel::operator()(std::span<const double* const> rows, double* out) {
  const std::size_t k = r_ - 1;
  const std::size_t width = 2 * r_ - 1;
  if (!invert(rows)) return std::nullopt;
  free_ = r_ * (r_ - 1) / 2;  // the sum of all columns less the pivots is the free one
  for (const std::size_t p : pivot_) free_ -= p;
  const double unit = static_cast<double>(r_ + 2) * kRoundoff;  // bounds gamma_(r+1) with kSlack below
  constexpr double kSlack = 1.0 + 0x1p-20;
  x_[free_] = 1.0;
  for (std::size_t i = 0; i < k; ++i) x_[pivot_[i]] = -work_[i * width + free_];

  double size = 0;
  double sum = 0;
  for (std::size_t j = 0; j < r_; ++j) {
    size = std::max(size, std::abs(x_[j]));
    sum += std::abs(x_[j]);
  }
  if (!(size < 0x1p500)) return std::nullopt;
  for (std::size_t i = 0; i < k; ++i) {
    double value = 0;
    double magnitude = 0;
    for (std::size_t j = 0; j < r_; ++j) {
      const double product = rows[i][j] * x_[j];
      value += product;
      magnitude += std::abs(product);
    }
    residual_[i] = kSlack * (std::abs(value) + unit * magnitude + row_error_ * sum) + 0x1p-1000;
  }
  // |I - Y B| and |Y| residual, in the largest row sum. Row i of Y answers for column pivot_[i] of B.
  double defect = 0;
  double error = 0;
  for (std::size_t i = 0; i < k; ++i) {
    const double* y = work_.data() + i * width + r_;
    double bound = 0;
    double y_sum = 0;
    for (std::size_t l = 0; l < k; ++l) {
      bound += std::abs(y[l]) * residual_[l];
      y_sum += std::abs(y[l]);
    }
    error = std::max(error, bound);
    std::fill(out, out + r_, 0.0);
    for (std::size_t l = 0; l < k; ++l) {
      for (std::size_t j = 0; j < r_; ++j) out[j] += y[l] * rows[l][j];
    }
    double row = 0;
    for (std::size_t j = 0; j < r_; ++j) {
      if (j != free_) row += std::abs(out[j] - (j == pivot_[i] ? 1.0 : 0.0));
    }
    // Entries of the rows are at most 1: |Y||B| <= y_sum in each of the k columns.
    defect = std::max(defect, row + static_cast<double>(k) * y_sum * (unit + row_error_));
  }
  defect *= kSlack;
  if (!(defect < 0.5)) return std::nullopt;
  error = kSlack * (1.0 + unit) * error / (1.0 - defect);
  constexpr double kUseful = 0x1p-24;  // half the digits of a double
  if (!(error <= kUseful * size)) return std::nullopt;
  const int e = -std::ilogb(size);
  for (std::size_t j = 0; j < r_; ++j) out[j] = std::scalbn(x_[j], e);
  return std::scalbn(error, e) + 0x1p-1000;
}

}  // namespace topes
