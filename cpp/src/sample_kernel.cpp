#include "topes/sample_kernel.hpp"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace topes {

namespace {

constexpr std::size_t kRows = 16;

// Bits of a panel into the words of a pattern, row i of the data at bit i % 64 of word i / 64.
inline void store(std::uint64_t* pattern, std::size_t panel, std::uint16_t bits) {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(reinterpret_cast<unsigned char*>(pattern) + 2 * panel, &bits, 2);
  } else {
    pattern[panel / 4] |= static_cast<std::uint64_t>(bits) << (kRows * (panel % 4));
  }
}

// What every kernel does with the signs and doubts of a panel and a direction.
struct Sink {
  const KernelRows& rows;
  std::uint64_t* const* patterns;
  KernelDoubt* doubts;
  std::size_t n_doubts = 0;

  void take(std::size_t panel, std::size_t direction, unsigned negative, unsigned doubt) {
    const unsigned nonzero = rows.nonzero[panel];
    store(patterns[direction], panel, static_cast<std::uint16_t>((~negative & nonzero) | rows.zero[panel]));
    doubt &= nonzero;
    if (doubt != 0) [[unlikely]] {
      doubts[n_doubts++] = {static_cast<std::uint32_t>(panel), static_cast<std::uint32_t>(direction), doubt};
    }
  }
};

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
std::size_t portable(const KernelRows& rows, std::size_t first, std::size_t last, const float* w, const float* tolerance,
                     std::uint64_t* const* patterns, KernelDoubt* doubts) {
  constexpr std::size_t kAtOnce = S == 1 ? 1 : 2;  // directions whose sums fit into sixteen registers of four numbers
  Sink sink{rows, patterns, doubts};
  for (std::size_t p = first; p < last; ++p) {
    const float* panel = rows.panels + p * rows.panel_stride;
    for (std::size_t s = 0; s < S; s += kAtOnce) {
      Four sums[kAtOnce][4] = {};
      for (std::size_t k = 0; k < rows.n_columns; ++k) {
        Four x[4];
        std::memcpy(x, panel + kRows * rows.columns[k], sizeof x);
        for (std::size_t t = 0; t < kAtOnce; ++t) {
          const float value = w[k * S + s + t];
          const Four all = {value, value, value, value};
          for (std::size_t q = 0; q < 4; ++q) sums[t][q] += x[q] * all;
        }
      }
      for (std::size_t t = 0; t < kAtOnce; ++t) {
        unsigned negative = 0;
        unsigned doubt = 0;
        for (unsigned q = 0; q < 4; ++q) {
          negative |= mask_of_signs(sums[t][q]) << 4 * q;
          doubt |= mask_of_doubts(sums[t][q], tolerance[s + t]) << 4 * q;
        }
        sink.take(p, s + t, negative, doubt);
      }
    }
  }
  return sink.n_doubts;
}

#if defined(__x86_64__)

// Products and sums with one rounding instead of two, which the tolerance covers all the more.

template <std::size_t S>
__attribute__((target("avx2,fma"))) std::size_t avx2(const KernelRows& rows, std::size_t first, std::size_t last, const float* w,
                                                     const float* tolerance, std::uint64_t* const* patterns,
                                                     KernelDoubt* doubts) {
  Sink sink{rows, patterns, doubts};
  const __m256 sign_bit = _mm256_set1_ps(-0.0F);
  for (std::size_t p = first; p < last; ++p) {
    const float* panel = rows.panels + p * rows.panel_stride;
    __m256 low[S];
    __m256 high[S];
#pragma GCC unroll 16
    for (std::size_t s = 0; s < S; ++s) low[s] = high[s] = _mm256_setzero_ps();
    for (std::size_t k = 0; k < rows.n_columns; ++k) {
      const float* x = panel + kRows * rows.columns[k];
      const __m256 x_low = _mm256_loadu_ps(x);
      const __m256 x_high = _mm256_loadu_ps(x + 8);
#pragma GCC unroll 16
      for (std::size_t s = 0; s < S; ++s) {
        const __m256 all = _mm256_broadcast_ss(w + k * S + s);
        low[s] = _mm256_fmadd_ps(x_low, all, low[s]);
        high[s] = _mm256_fmadd_ps(x_high, all, high[s]);
      }
    }
#pragma GCC unroll 16
    for (std::size_t s = 0; s < S; ++s) {
      const __m256 bound = _mm256_broadcast_ss(tolerance + s);
      const __m256 unsure_low = _mm256_cmp_ps(_mm256_andnot_ps(sign_bit, low[s]), bound, _CMP_NGT_UQ);
      const __m256 unsure_high = _mm256_cmp_ps(_mm256_andnot_ps(sign_bit, high[s]), bound, _CMP_NGT_UQ);
      sink.take(p, s, static_cast<unsigned>(_mm256_movemask_ps(low[s]) | _mm256_movemask_ps(high[s]) << 8),
                static_cast<unsigned>(_mm256_movemask_ps(unsure_low) | _mm256_movemask_ps(unsure_high) << 8));
    }
  }
  return sink.n_doubts;
}

template <std::size_t S>
__attribute__((target("avx512f,avx512dq"))) std::size_t avx512(const KernelRows& rows, std::size_t first, std::size_t last,
                                                               const float* w, const float* tolerance,
                                                               std::uint64_t* const* patterns, KernelDoubt* doubts) {
  Sink sink{rows, patterns, doubts};
  for (std::size_t p = first; p < last; ++p) {
    const float* panel = rows.panels + p * rows.panel_stride;
    __m512 sums[S];
#pragma GCC unroll 16
    for (std::size_t s = 0; s < S; ++s) sums[s] = _mm512_setzero_ps();
    for (std::size_t k = 0; k < rows.n_columns; ++k) {
      const __m512 x = _mm512_loadu_ps(panel + kRows * rows.columns[k]);
#pragma GCC unroll 16
      for (std::size_t s = 0; s < S; ++s) sums[s] = _mm512_fmadd_ps(x, _mm512_set1_ps(w[k * S + s]), sums[s]);
    }
#pragma GCC unroll 16
    for (std::size_t s = 0; s < S; ++s) {
      const __mmask16 doubt = _mm512_cmp_ps_mask(_mm512_abs_ps(sums[s]), _mm512_set1_ps(tolerance[s]), _CMP_NGT_UQ);
      sink.take(p, s, _mm512_movepi32_mask(_mm512_castps_si512(sums[s])), doubt);
    }
  }
  return sink.n_doubts;
}

#endif

}  // namespace

SampleKernels sample_kernels([[maybe_unused]] KernelKind kind) {
#if defined(__x86_64__)
  if (kind == KernelKind::fastest && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
    return {kLargestGroup, &avx512<kLargestGroup>, &avx512<1>};
  }
  constexpr std::size_t kSix = 6;  // with 16 rows, as many sums as twelve registers of eight numbers hold
  if (kind != KernelKind::portable && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return {kSix, &avx2<kSix>, &avx2<1>};
  }
#endif
  return {4, &portable<4>, &portable<1>};
}

}  // namespace topes
