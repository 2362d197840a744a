// Products of a panel of 16 rows with a few directions in single precision, as signs and doubts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace topes {

/// Directions of a full group: with 16 rows, as many sums as 16 registers of eight numbers hold.
inline constexpr std::size_t kGroup = 6;

/// \param panel      16 numbers a column
/// \param columns    the columns to use
/// \param n_columns  how many
/// \param w          for each column the entry of each direction of the group
/// \param tolerance  of each direction
/// \param bits       for each direction one bit a row: the product's sign bit is clear
/// \param doubt      for each direction one bit a row: its absolute value is within the tolerance, or it is no number
using SampleKernel = void (*)(const float* panel, const std::uint32_t* columns, std::size_t n_columns, const float* w,
                              const float* tolerance, std::uint16_t* bits, std::uint16_t* doubt);

struct SampleKernels {
  SampleKernel group;  ///< kGroup directions
  SampleKernel one;    ///< a single one
};

/// The fastest this processor runs, or those that all run.
SampleKernels sample_kernels(bool portable);

}  // namespace topes
