// Gaussian numbers by counter: the number at a place depends on the key and the place alone, on every platform.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "topes/pack.hpp"

namespace topes {

using PhiloxKey = std::array<std::uint64_t, 2>;
using PhiloxBlock = std::array<std::uint64_t, 4>;

/// Philox4x64-10 [Salmon11]: 256 bits that depend on counter and key alone.
inline PhiloxBlock philox(PhiloxBlock c, PhiloxKey k) {
  __extension__ using Wide = unsigned __int128;
  for (int round = 0; round < 10; ++round) {
    const Wide a = static_cast<Wide>(c[0]) * 0xD2E7470EE14C6C93ULL;
    const Wide b = static_cast<Wide>(c[2]) * 0xCA5A826395121157ULL;
    c = {static_cast<std::uint64_t>(b >> 64U) ^ c[1] ^ k[0], static_cast<std::uint64_t>(b),
         static_cast<std::uint64_t>(a >> 64U) ^ c[3] ^ k[1], static_cast<std::uint64_t>(a)};
    k[0] += 0x9E3779B97F4A7C15ULL;
    k[1] += 0xBB67AE8584CAA73BULL;
  }
  return c;
}

// Logarithm and trigonometry are spelled out, so that no mathematical library has a say in the bytes of a result.
namespace gaussian_detail {

using Words = std::uint64_t __attribute__((vector_size(16)));

inline Words words_of(Pack p) { return std::bit_cast<Words>(p); }
inline Pack pack_of(Words w) { return std::bit_cast<Pack>(w); }
inline Pack all(double x) { return Pack{x, x}; }
inline Pack select(Words mask, Pack yes, Pack no) { return pack_of((words_of(yes) & mask) | (words_of(no) & ~mask)); }

/// (k + 1/2) / 2^52, k the upper 52 bits: in (0, 1), exact.
inline Pack uniform(Words u) {
  return pack_of((u >> 12) | 0x3FF0000000000000ULL) - all(1.0 - 0x1p-53);
}

/// A polynomial, summed in fours whose parts wait for nothing [Estrin60].
template <std::size_t N>
Pack polynomial(const std::array<double, N>& c, Pack x) {
  static_assert(N % 4 == 0);
  const Pack x2 = x * x;
  const Pack x4 = x2 * x2;
  Pack y = all(0.0);
  for (std::size_t k = N; k > 0; k -= 4) {
    const Pack four = (all(c[k - 4]) + all(c[k - 3]) * x) + (all(c[k - 2]) + all(c[k - 1]) * x) * x2;
    y = k == N ? four : y * x4 + four;
  }
  return y;
}

/// Natural logarithm of numbers in (0, 1), to a few units in the last place.
inline Pack log(Pack x) {
  constexpr std::uint64_t kMantissa = 0x000FFFFFFFFFFFFFULL;
  constexpr std::uint64_t kMagic = 0x4330000000000000ULL;  // 2^52: holds a small integer in its last bits
  Pack m = pack_of((words_of(x) & kMantissa) | 0x3FF0000000000000ULL);
  Pack e = pack_of((words_of(x) >> 52) | kMagic) - all(0x1p52 + 1023.0);
  const auto high = std::bit_cast<Words>(m > all(1.4142135623730951));
  m = select(high, m * all(0.5), m);
  e = select(high, e + all(1.0), e);
  // log m = 2 atanh s; |s| <= 3 - 2 sqrt 2, so twelve terms leave s^24 / 25 < 2^-64 of the first.
  const Pack s = (m - all(1.0)) / (m + all(1.0));
  constexpr std::array<double, 12> kAtanh = {2.0,      2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                                             2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23};
  return e * all(0.693147180559945309417) + s * polynomial(kAtanh, s * s);
}

/// Cosine and sine of 2 pi v, v in [0, 1).
inline void cos_sin(Pack v, Pack& cosine, Pack& sine) {
  constexpr double kRound = 0x1.8p52;  // adding it rounds to an integer, which is then in the last bits
  const Pack quarters = v * all(4.0);
  const Pack shifted = quarters + all(kRound);
  const Words quadrant = words_of(shifted);
  const Pack t = (quarters - (shifted - all(kRound))) * all(1.57079632679489661923);  // |t| <= pi / 4
  const Pack t2 = t * t;
  // (pi/4)^2 < 0.617: the first terms left out are below 2^-52 of the whole.
  constexpr std::array<double, 8> kSin = {1.0,
                                          -1.0 / 6,
                                          1.0 / 120,
                                          -1.0 / 5040,
                                          1.0 / 362880,
                                          -1.0 / 39916800,
                                          1.0 / 6227020800.0,
                                          -1.0 / 1307674368000.0};
  constexpr std::array<double, 8> kCos = {-1.0 / 2,
                                          1.0 / 24,
                                          -1.0 / 720,
                                          1.0 / 40320,
                                          -1.0 / 3628800,
                                          1.0 / 479001600.0,
                                          -1.0 / 87178291200.0,
                                          1.0 / 20922789888000.0};
  const Pack s = t * polynomial(kSin, t2);
  const Pack c = all(1.0) + t2 * polynomial(kCos, t2);
  const Words odd = Words{} - (quadrant & 1ULL);
  const Words sign_of_cos = ((quadrant + 1ULL) & 2ULL) << 62;  // quadrants 1 and 2
  const Words sign_of_sin = (quadrant & 2ULL) << 62;           // quadrants 2 and 3
  cosine = pack_of(words_of(select(odd, s, c)) ^ sign_of_cos);
  sine = pack_of(words_of(select(odd, c, s)) ^ sign_of_sin);
}

}  // namespace gaussian_detail

/// Four independent standard Gaussian numbers from 256 random bits [BoxMuller58]; at most 8.6 in absolute value.
inline void gaussians(const PhiloxBlock& bits, double* out) {
  using namespace gaussian_detail;
  const Pack square = log(uniform(Words{bits[0], bits[1]})) * all(-2.0);
  const Pack radius = Pack{std::sqrt(square[0]), std::sqrt(square[1])};
  Pack c;
  Pack s;
  cos_sin(uniform(Words{bits[2], bits[3]}), c, s);
  c *= radius;
  s *= radius;
  out[0] = c[0];
  out[1] = s[0];
  out[2] = c[1];
  out[3] = s[1];
}

}  // namespace topes
