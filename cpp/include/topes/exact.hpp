// Exact numbers: integers of any size, and doubles as the dyadic rationals they are.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "topes/sign.hpp"

namespace topes {

using Integer = boost::multiprecision::cpp_int;

inline Sign sign_of(const Integer& x) { return static_cast<Sign>(x.sign() > 0 ? 1 : (x.sign() < 0 ? -1 : 0)); }

/// Row-major matrix of exact integers.
struct IntegerMatrix {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<Integer> entries;

  IntegerMatrix() = default;
  IntegerMatrix(std::size_t n, std::size_t d) : rows(n), cols(d), entries(n * d) {}
  std::span<const Integer> row(std::size_t i) const { return {entries.data() + i * cols, cols}; }
  std::span<Integer> row(std::size_t i) { return {entries.data() + i * cols, cols}; }
};

/// Each row of doubles times the power of two that makes it integral: the same signs, exactly.
/// \pre every entry is finite.
IntegerMatrix integers_from_doubles(std::span<const double> x, std::size_t n, std::size_t d);

IntegerMatrix integers_from_int64(std::span<const std::int64_t> x, std::size_t n, std::size_t d);

/// Two's complement little-endian numbers of `width` bytes each.
IntegerMatrix integers_from_bytes(std::span<const std::uint8_t> x, std::size_t n, std::size_t d,
                                  std::size_t width);

/// Divide by the greatest common divisor; a zero row stays zero.
void make_primitive(std::span<Integer> row);

Integer dot(std::span<const Integer> a, std::span<const Integer> b);

/// x * 2^-exponent, as a double in [0.5, 1) in absolute value within a relative error of 2^-53, and the exponent.
/// Zero gives (0, 0).
struct Scaled {
  double mantissa;
  std::int64_t exponent;
};
Scaled to_scaled(const Integer& x);

/// The double nearest to x * 2^shift up to one rounding; overflows to infinity and underflows to zero.
double to_double(const Integer& x, std::int64_t shift = 0);

}  // namespace topes
