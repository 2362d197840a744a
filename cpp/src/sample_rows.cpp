#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "topes/error.hpp"
#include "topes/predicate.hpp"
#include "topes/sample.hpp"

namespace topes {

SampleRows SampleRows::from_doubles(std::span<const double> x, std::size_t n, std::size_t d) {
  for (const double value : x) {
    if (!std::isfinite(value)) throw InvalidArgument("entries must be finite");
  }
  SampleRows rows(n, d);
  rows.doubles_ = x;
  rows.fill();
  return rows;
}

SampleRows SampleRows::from_int64(std::span<const std::int64_t> x, std::size_t n, std::size_t d) {
  SampleRows rows(n, d);
  rows.int64s_ = x;
  rows.fill();
  return rows;
}

SampleRows SampleRows::from_integers(IntegerMatrix x) {
  SampleRows rows(x.rows, x.cols);
  rows.integers_ = std::move(x);
  rows.fill();
  return rows;
}

bool SampleRows::is_zero(std::size_t i, std::size_t j) const {
  const std::size_t k = i * d_ + j;
  if (!doubles_.empty()) return doubles_[k] == 0;
  return !int64s_.empty() ? int64s_[k] == 0 : integers_.entries[k].is_zero();
}

double SampleRows::scaled(std::size_t i, std::size_t j) const {
  const std::size_t k = i * d_ + j;
  if (!integers_.entries.empty()) return to_double(integers_.entries[k], shift_[i]);
  const double x = doubles_.empty() ? static_cast<double>(int64s_[k]) : doubles_[k];
  return factor_[i] != 0 ? x * factor_[i] : std::ldexp(x, shift_[i]);
}

void SampleRows::set_shift(std::size_t i, int shift) {
  constexpr int kInRange = 1000;  // exponents of powers of two that are doubles, with room
  shift_[i] = shift;
  factor_[i] = std::abs(shift) <= kInRange ? std::ldexp(1.0, shift) : 0.0;
}

std::uint64_t SampleRows::n_nonzero() const {
  std::uint64_t n = 0;
  for (const std::uint16_t bits : nonzero_) n += static_cast<unsigned>(std::popcount(bits));
  return n;
}

// Of the largest entry as a number in [1/2, 1) times a power of two.
std::int64_t SampleRows::largest_exponent(std::size_t i) const {
  std::int64_t largest = kNoExponent;
  if (!integers_.entries.empty()) {
    for (const Integer& x : integers_.row(i)) {
      if (!x.is_zero()) largest = std::max(largest, to_scaled(x).exponent);
    }
    return largest;
  }
  double most = 0;
  for (std::size_t j = 0; j < d_; ++j) most = std::max(most, std::abs(scaled(i, j)));  // not scaled yet
  if (most == 0) return kNoExponent;
  int exponent = 0;
  (void)std::frexp(most, &exponent);
  return exponent;
}

void SampleRows::fill() {
  shift_.assign(n_, 0);
  factor_.assign(n_, 1.0);
  panels_.assign(n_panels() * d_ * kPanel, 0.0F);
  nonzero_.assign(n_panels(), 0);
  zero_.assign(n_panels(), 0);
  for (std::size_t i = 0; i < n_; ++i) {
    const std::size_t p = i / kPanel;
    const auto bit = static_cast<std::uint16_t>(1U << (i % kPanel));
    // First the largest entry to [1/2, 1], then the norm of what that gives.
    const std::int64_t largest = largest_exponent(i);
    if (largest == kNoExponent) {
      zero_[p] |= bit;
      continue;
    }
    if (largest > std::numeric_limits<int>::max() / 2) throw InvalidArgument("entries must have fewer than 2^30 bits");
    nonzero_[p] |= bit;
    set_shift(i, static_cast<int>(-largest));
    double square = 0;
    for (std::size_t j = 0; j < d_; ++j) square += scaled(i, j) * scaled(i, j);
    int exponent = 0;
    (void)std::frexp(std::sqrt(square), &exponent);
    set_shift(i, shift_[i] - exponent);
    float* column = panels_.data() + p * d_ * kPanel + i % kPanel;
    for (std::size_t j = 0; j < d_; ++j) column[j * kPanel] = static_cast<float>(scaled(i, j));
  }
}

std::optional<Sign> SampleRows::sign(std::size_t i, std::span<const std::uint32_t> columns, const double* w,
                                     std::uint64_t& exact) const {
  double sum = 0;
  double size = 0;
  bool vanishes = true;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (is_zero(i, columns[k])) continue;
    vanishes = false;
    const double product = scaled(i, columns[k]) * w[k];
    sum += product;
    size += std::abs(product);
  }
  if (vanishes) return std::nullopt;
  // One rounding of the entry, one of the product, one for each sum: on the true sizes, which exceed the computed `size` by
  // no more than as many roundings again. Underflow: below 2^-1060 a term.
  const auto terms = static_cast<double>(columns.size());
  const double relative = (terms + 3.0) * kRoundoff;
  const double bound = 1.01 * relative * size + terms * 0x1p-1060;
  if (relative < 0x1p-10 && std::abs(sum) > bound) return sign_of(sum);
  ++exact;
  return exact_sign(i, columns, w);
}

Sign SampleRows::exact_sign(std::size_t i, std::span<const std::uint32_t> columns, const double* w) const {
  const std::size_t m = columns.size();
  IntegerMatrix row;
  if (!doubles_.empty()) {
    std::vector<double> x(m);
    for (std::size_t k = 0; k < m; ++k) x[k] = doubles_[i * d_ + columns[k]];
    row = integers_from_doubles(x, 1, m);
  } else {
    row = IntegerMatrix(1, m);
    for (std::size_t k = 0; k < m; ++k) {
      const std::size_t at = i * d_ + columns[k];
      row.entries[k] = int64s_.empty() ? integers_.entries[at] : Integer(int64s_[at]);
    }
  }
  return sign_of(dot(row.row(0), integers_from_doubles({w, m}, 1, m).row(0)));
}

}  // namespace topes
