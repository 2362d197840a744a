#include "topes/sample_kernel.hpp"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace topes {

namespace {

constexpr std::size_t kRows = 16;

// Four numbers at a time, in the compiler's own words.
using Four = float __attribute__((vector_size(16)));

inline unsigned mask_of_signs(Four x) {
#if defined(__x86_64__)
  return static_cast<unsigned>(_mm_movemask_ps(x));
#else
  std::uint32_t words[4];
  std::memcpy(words, &x, sizeof words);
  return (words[0] >> 31U) | (words[1] >> 31U) << 1U | (words[2] >> 31U) << 2U | (words[3] >> 31U) << 3U;
#endif
}

// Bits of the lanes where not |x| > tolerance: what is no number is in doubt.
inline unsigned mask_of_doubts(Four x, float tolerance) {
  const Four bound = {tolerance, tolerance, tolerance, tolerance};
  const Four size = x < 0 ? -x : x;
  const auto decided = size > bound;
  Four lanes;
  std::memcpy(&lanes, &decided, sizeof lanes);
  return ~mask_of_signs(lanes) & 0xFU;
}

template <std::size_t S>
void portable(const float* panel, const std::uint32_t* columns, std::size_t n_columns, const float* w, const float* tolerance,
              std::uint16_t* bits, std::uint16_t* doubt) {
  constexpr std::size_t kAtOnce = S == 1 ? 1 : 2;  // directions whose sums fit into sixteen registers of four numbers
  for (std::size_t s = 0; s < S; s += kAtOnce) {
    Four sums[kAtOnce][4] = {};
    for (std::size_t k = 0; k < n_columns; ++k) {
      Four x[4];
      std::memcpy(x, panel + kRows * columns[k], sizeof x);
      for (std::size_t t = 0; t < kAtOnce; ++t) {
        const float value = w[k * S + s + t];
        const Four all = {value, value, value, value};
        for (std::size_t q = 0; q < 4; ++q) sums[t][q] += x[q] * all;
      }
    }
    for (std::size_t t = 0; t < kAtOnce; ++t) {
      unsigned negative = 0;
      unsigned unsure = 0;
      for (unsigned q = 0; q < 4; ++q) {
        negative |= mask_of_signs(sums[t][q]) << 4 * q;
        unsure |= mask_of_doubts(sums[t][q], tolerance[s + t]) << 4 * q;
      }
      bits[s + t] = static_cast<std::uint16_t>(~negative);
      doubt[s + t] = static_cast<std::uint16_t>(unsure);
    }
  }
}

#if defined(__x86_64__)

// Eight numbers at a time, multiplied and added with one rounding: the tolerance covers two.
template <std::size_t S>
__attribute__((target("avx2,fma"))) void avx2(const float* panel, const std::uint32_t* columns, std::size_t n_columns,
                                              const float* w, const float* tolerance, std::uint16_t* bits,
                                              std::uint16_t* doubt) {
  __m256 low[S];
  __m256 high[S];
#pragma GCC unroll 8
  for (std::size_t s = 0; s < S; ++s) low[s] = high[s] = _mm256_setzero_ps();
  for (std::size_t k = 0; k < n_columns; ++k) {
    const float* x = panel + kRows * columns[k];
    const __m256 x_low = _mm256_loadu_ps(x);
    const __m256 x_high = _mm256_loadu_ps(x + 8);
#pragma GCC unroll 8
    for (std::size_t s = 0; s < S; ++s) {
      const __m256 all = _mm256_broadcast_ss(w + k * S + s);
      low[s] = _mm256_fmadd_ps(x_low, all, low[s]);
      high[s] = _mm256_fmadd_ps(x_high, all, high[s]);
    }
  }
  const __m256 sign_bit = _mm256_set1_ps(-0.0F);
#pragma GCC unroll 8
  for (std::size_t s = 0; s < S; ++s) {
    const __m256 bound = _mm256_broadcast_ss(tolerance + s);
    const auto unsure = [&](__m256 x) __attribute__((target("avx2,fma"))) {
      return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(_mm256_andnot_ps(sign_bit, x), bound, _CMP_NGT_UQ)));
    };
    const auto negative = static_cast<unsigned>(_mm256_movemask_ps(low[s])) |
                          static_cast<unsigned>(_mm256_movemask_ps(high[s])) << 8U;
    bits[s] = static_cast<std::uint16_t>(~negative);
    doubt[s] = static_cast<std::uint16_t>(unsure(low[s]) | unsure(high[s]) << 8U);
  }
}

#endif

}  // namespace

SampleKernels sample_kernels([[maybe_unused]] bool only_portable) {
#if defined(__x86_64__)
  if (!only_portable && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return {&avx2<kGroup>, &avx2<1>};
  }
#endif
  return {&portable<kGroup>, &portable<1>};
}

}  // namespace topes
