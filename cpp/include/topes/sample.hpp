// Patterns of sampled directions: every sign that of the exact dot product, whatever the rows.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "topes/exact.hpp"
#include "topes/gaussian.hpp"
#include "topes/progress.hpp"
#include "topes/sample_kernel.hpp"

namespace topes {

/// Rows made ready for products with many directions: scaled by powers of two to a 2-norm in (1/2, 1], which changes no sign,
/// and rounded to single precision in panels of 16 rows.
class SampleRows {
 public:
  static constexpr std::size_t kPanel = 16;

  /// \pre every entry is finite; x outlives the object
  static SampleRows from_doubles(std::span<const double> x, std::size_t n, std::size_t d);
  /// \pre x outlives the object
  static SampleRows from_int64(std::span<const std::int64_t> x, std::size_t n, std::size_t d);
  static SampleRows from_integers(IntegerMatrix x);

  std::size_t n_rows() const { return n_; }
  std::size_t n_columns() const { return d_; }
  std::size_t n_panels() const { return (n_ + kPanel - 1) / kPanel; }
  /// The panels, with these columns of theirs.
  KernelRows view(std::span<const std::uint32_t> columns) const {
    return {panels_.data(), d_ * kPanel, nonzero_.data(), zero_.data(), columns.data(), columns.size()};
  }
  std::uint64_t n_nonzero() const;

  /// Sign of row i at a direction given by its entries at some columns, all others 0; nothing if all these entries of the row are 0.
  /// Double precision where its error bound decides, integers where not; \post ++exact in the latter case.
  std::optional<Sign> sign(std::size_t i, std::span<const std::uint32_t> columns, const double* w, std::uint64_t& exact) const;

 private:
  SampleRows(std::size_t n, std::size_t d) : n_(n), d_(d) {}
  static constexpr std::int64_t kNoExponent = std::numeric_limits<std::int64_t>::min();
  std::int64_t largest_exponent(std::size_t i) const;
  void fill();
  void set_shift(std::size_t i, int shift);
  bool is_zero(std::size_t i, std::size_t j) const;
  /// Entry scaled by its row's power of two: within 2^-53 of it relatively, plus 2^-1073.
  double scaled(std::size_t i, std::size_t j) const;
  Sign exact_sign(std::size_t i, std::span<const std::uint32_t> columns, const double* w) const;

  std::size_t n_;
  std::size_t d_;
  std::span<const double> doubles_;
  std::span<const std::int64_t> int64s_;
  IntegerMatrix integers_;
  std::vector<int> shift_;      // exponent of each row's power of two
  std::vector<double> factor_;  // that power, 0 where a double has no room for it
  std::vector<float> panels_;
  std::vector<std::uint16_t> nonzero_;
  std::vector<std::uint16_t> zero_;
};

/// Where directions are not zero: `offsets` moved to one of `places`, each as likely, and `always`.
struct Support {
  std::size_t n_columns = 0;
  std::vector<std::uint32_t> offsets;
  std::vector<std::uint32_t> places;
  std::vector<std::uint32_t> always;

  std::size_t size() const { return offsets.size() + always.size(); }
  /// \throws InvalidArgument unless all columns exist, and there is a place
  void check() const;
  static Support everywhere(std::size_t n_columns);
};

/// Write direction `sample` of the stream of `key`: its `support.size()` Gaussian entries, in the order of the support.
/// \param attempt  0, and one more for each time it had to be drawn again
/// \return the index of its place
std::size_t draw_direction(const Support& support, const PhiloxKey& key, std::uint64_t sample, std::uint64_t attempt, double* out);

struct SampleCounters {
  std::uint64_t signs = 0;         ///< of nonzero rows at directions
  std::uint64_t double_signs = 0;  ///< of these, not decided in single precision
  std::uint64_t exact_signs = 0;   ///< of these, not decided in double precision
  std::uint64_t redrawn = 0;       ///< directions on a hyperplane, drawn again
  SampleCounters& operator+=(const SampleCounters& o) {
    signs += o.signs;
    double_signs += o.double_signs;
    exact_signs += o.exact_signs;
    redrawn += o.redrawn;
    return *this;
  }
};

struct SampleOptions {
  PhiloxKey key{};
  std::uint64_t first = 0;  ///< number of the first sample
  std::uint64_t count = 0;
  std::uint64_t max_patterns = ~std::uint64_t{0};
  unsigned n_threads = 1;
  ProgressHook hook = {};
  KernelKind kernel = KernelKind::fastest;  ///< the result is the same with each
};

/// Distinct patterns, those seen first, first.
struct SampledPatterns {
  std::vector<std::uint8_t> packed;  ///< packed_bytes(n) bytes each
  std::vector<std::int64_t> counts;
  std::vector<std::int64_t> first;  ///< number of the sample that saw it first
  SampleCounters counters;
};

/// Bytes of memory one distinct pattern takes, the result included.
std::uint64_t sample_bytes_per_pattern(std::size_t n_rows);

/// The patterns of samples first, ..., first + count - 1: bit i is 1 where row i is positive, and where it vanishes on the
/// direction's support. A direction on the hyperplane of any other row is drawn again. The same for every number of threads.
/// \throws CellLimit beyond max_patterns distinct ones
SampledPatterns sample_patterns(const SampleRows& rows, const Support& support, const SampleOptions& options);

}  // namespace topes
