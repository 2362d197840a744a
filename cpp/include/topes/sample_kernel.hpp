// Products of panels of 16 rows with a few directions in single precision, as signs and doubts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace topes {

/// Panels of rows, and the columns to use of them.
struct KernelRows {
  const float* panels;         ///< 16 numbers a column
  std::size_t panel_stride;    ///< numbers of one panel
  const std::uint16_t* nonzero;  ///< of each panel: one bit a row that is not zero
  const std::uint16_t* zero;     ///< of each panel: one bit a row that is zero
  const std::uint32_t* columns;
  std::size_t n_columns;
};

/// A panel and a direction where rows are in doubt: |product| is within the tolerance, or no number.
struct KernelDoubt {
  std::uint32_t panel;
  std::uint32_t direction;
  std::uint32_t rows;
};

/// Panels first, ..., last - 1, a group of directions.
/// \param w          for each column the entry of each direction of the group
/// \param tolerance  of each direction
/// \param patterns   of each direction: words, 16 bits a panel, all 0 there before; 1 where the product's sign bit is clear or the
///                   row zero
/// \param doubts     room for one of each panel and direction
/// \return number of doubts
using SampleKernel = std::size_t (*)(const KernelRows& rows, std::size_t first, std::size_t last, const float* w,
                                     const float* tolerance, std::uint64_t* const* patterns, KernelDoubt* doubts);

enum class KernelKind : std::uint8_t { fastest, avx2, portable };

struct SampleKernels {
  std::size_t group_size;
  SampleKernel group;
  SampleKernel one;
};

inline constexpr std::size_t kLargestGroup = 12;

/// The kind asked for if this processor has it, else the portable one.
SampleKernels sample_kernels(KernelKind kind);

}  // namespace topes
