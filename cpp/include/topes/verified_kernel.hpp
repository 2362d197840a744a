// The kernel of r - 1 rows in floating point, with a proved bound on its error: where minors would cost too much.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace topes {

class VerifiedKernel {
 public:
  /// \param row_error  absolute error of each entry of the rows
  VerifiedKernel(int rank, double row_error);

  /// Vector orthogonal to the r - 1 rows, its largest entry in [1, 2) in absolute value. Returns a bound on the error of
  /// each entry, up to one positive factor common to all; nothing if the rows are too nearly dependent to prove a useful one.
  /// An approximate inverse Y of the pivot columns B bounds the error of x by |Y (b - B x)| / (1 - |I - Y B|) [Rump10, sec. 10].
  /// \pre rows.size() = rank - 1, entries at most 1 in absolute value. Cost O(rank^3).
  std::optional<double> operator()(std::span<const double* const> rows, double* out);

 private:
  bool invert(std::span<const double* const> rows);

  std::size_t r_;
  double row_error_;
  std::vector<double> work_;          // (r - 1) x (2r - 1): the rows beside the identity, reduced
  std::vector<std::size_t> pivot_;    // column of each reduced row
  std::vector<double> x_, residual_;
  std::size_t free_ = 0;              // the column without a pivot
};

}  // namespace topes
