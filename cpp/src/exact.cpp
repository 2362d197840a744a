#include "topes/exact.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "topes/error.hpp"

namespace topes {

namespace {

constexpr int kMantissaBits = std::numeric_limits<double>::digits;

}  // namespace

IntegerMatrix integers_from_doubles(std::span<const double> x, std::size_t n, std::size_t d) {
  IntegerMatrix out(n, d);
  std::vector<std::int64_t> mantissa(d);
  std::vector<int> exponent(d);
  for (std::size_t i = 0; i < n; ++i) {
    int lowest = std::numeric_limits<int>::max();
    for (std::size_t j = 0; j < d; ++j) {
      const double value = x[i * d + j];
      if (!std::isfinite(value)) throw InvalidArgument("entries must be finite");
      int e = 0;
      auto m = static_cast<std::int64_t>(std::ldexp(std::frexp(value, &e), kMantissaBits));
      e -= kMantissaBits;
      if (m != 0) {
        const int zeros = std::countr_zero(static_cast<std::uint64_t>(m));
        m >>= zeros;
        e += zeros;
        lowest = std::min(lowest, e);
      }
      mantissa[j] = m;
      exponent[j] = e;
    }
    for (std::size_t j = 0; j < d; ++j) {
      if (mantissa[j] == 0) continue;
      Integer value = mantissa[j];
      value <<= static_cast<unsigned>(exponent[j] - lowest);
      out.entries[i * d + j] = std::move(value);
    }
  }
  return out;
}

IntegerMatrix integers_from_int64(std::span<const std::int64_t> x, std::size_t n, std::size_t d) {
  IntegerMatrix out(n, d);
  for (std::size_t i = 0; i < n * d; ++i) out.entries[i] = x[i];
  return out;
}

IntegerMatrix integers_from_bytes(std::span<const std::uint8_t> x, std::size_t n, std::size_t d,
                                  std::size_t width) {
  IntegerMatrix out(n, d);
  std::vector<std::uint8_t> magnitude(width);
  for (std::size_t i = 0; i < n * d; ++i) {
    const auto bytes = x.subspan(i * width, width);
    const bool negative = width > 0 && (bytes[width - 1] & 0x80U) != 0;
    unsigned carry = 1;  // two's complement: negate by inverting and adding one
    for (std::size_t k = 0; k < width; ++k) {
      if (negative) {
        carry += static_cast<std::uint8_t>(~bytes[k]);
        magnitude[k] = static_cast<std::uint8_t>(carry & 0xffU);
        carry >>= 8U;
      } else {
        magnitude[k] = bytes[k];
      }
    }
    Integer value;
    boost::multiprecision::import_bits(value, magnitude.begin(), magnitude.end(), 8, false);
    out.entries[i] = negative ? Integer(-value) : value;
  }
  return out;
}

void make_primitive(std::span<Integer> row) {
  Integer g = 0;
  for (const Integer& x : row) {
    if (x.is_zero()) continue;
    g = g.is_zero() ? Integer(abs(x)) : Integer(gcd(g, x));
    if (g == 1) return;
  }
  if (g.is_zero()) return;
  for (Integer& x : row) x /= g;
}

Integer dot(std::span<const Integer> a, std::span<const Integer> b) {
  Integer sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    if (!a[j].is_zero() && !b[j].is_zero()) sum += a[j] * b[j];
  }
  return sum;
}

Scaled to_scaled(const Integer& x) {
  if (x.is_zero()) return {0.0, 0};
  const Integer magnitude = abs(x);
  const auto bits = static_cast<std::int64_t>(msb(magnitude)) + 1;
  double mantissa = 0;
  if (bits <= 64) {
    mantissa = std::ldexp(static_cast<double>(static_cast<std::uint64_t>(magnitude)), -static_cast<int>(bits));
  } else {
    // Keep 64 bits with a sticky last one, so that the only rounding is the one to double.
    const auto drop = static_cast<unsigned>(bits - 64);
    auto top = static_cast<std::uint64_t>(magnitude >> drop);
    if (lsb(magnitude) < drop) top |= 1U;
    mantissa = std::ldexp(static_cast<double>(top), -64);
  }
  return {x.sign() < 0 ? -mantissa : mantissa, bits};
}

double to_double(const Integer& x, std::int64_t shift) {
  const Scaled s = to_scaled(x);
  const std::int64_t e = std::clamp<std::int64_t>(s.exponent + shift, -10000, 10000);
  return std::ldexp(s.mantissa, static_cast<int>(e));
}

}  // namespace topes
