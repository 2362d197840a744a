// A central arrangement made ready for the walk: distinct hyperplanes in walk order, exact and rounded.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "topes/exact.hpp"
#include "topes/predicate.hpp"
#include "topes/sign.hpp"

namespace topes {

/// How the walk computes with rays.
enum class Arithmetic {
  integer,   ///< doubles that hold integers below 2^53, by a proved bound: never a rounding
  filtered,  ///< rounded doubles with error bounds, exact integers where a bound cannot decide
};

struct ArrangementOptions {
  /// The last column is minus the offset; cells are those where the last coordinate is positive.
  bool affine = false;
  /// Rows from this one on keep their order behind the shuffled ones, as if inserted later. 0 means all are shuffled.
  std::size_t first_inserted = 0;
  /// Seed of the one random order of hyperplanes.
  std::uint64_t seed = 0x746f706573ULL;
};

/// Rows of the data that lie on one hyperplane, each with the sign of its factor.
class Arrangement {
 public:
  /// Exact preprocessing: zero rows, parallel rows, rank, pivot columns, walk order.
  explicit Arrangement(const IntegerMatrix& rows, const ArrangementOptions& options = {});

  std::size_t n_rows() const { return orientation_.size(); }
  std::size_t n_columns() const { return n_columns_; }
  bool affine() const { return affine_; }
  int rank() const { return static_cast<int>(pivot_columns_.size()); }
  /// Hyperplanes of the walk; an affine arrangement counts the one at infinity, which is then hyperplane 0.
  std::size_t size() const { return group_start_.size() - 1; }
  const std::vector<std::size_t>& pivot_columns() const { return pivot_columns_; }
  Arithmetic arithmetic() const { return arithmetic_; }
  const FilterBounds& bounds() const { return bounds_; }

  /// Exact normal of hyperplane h in the pivot columns, primitive.
  std::span<const Integer> normal(std::size_t h) const { return normals_.row(h); }
  /// The same, rounded: `stride()` doubles for each hyperplane. In `filtered` arithmetic column j is multiplied by
  /// 2^column_exponent(j) and each row by a power of two, which changes no sign.
  const double* rounded() const { return rounded_.data(); }
  std::size_t stride() const { return stride_; }
  int column_exponent(std::size_t j) const { return column_exponent_[j]; }

  /// Rows on hyperplane h; negative() where the row is a negative multiple of the normal.
  std::span<const SignedIndex> group(std::size_t h) const {
    return {group_rows_.data() + group_start_[h], group_start_[h + 1] - group_start_[h]};
  }
  /// The first row on hyperplane h: the one that names it. \pre not the hyperplane at infinity.
  std::size_t representative(std::size_t h) const { return group(h)[0].index(); }
  /// Hyperplane of row i, or -1 for a zero row.
  std::int64_t hyperplane_of(std::size_t i) const { return hyperplane_of_[i]; }
  /// +1 or -1: row i is this sign times a positive multiple of the normal; 0 for a zero row.
  int orientation(std::size_t i) const { return orientation_[i]; }

  /// Signs of a basis of r hyperplanes (the first r): ray k is positive on hyperplane k and zero on the others.
  const IntegerMatrix& basis_rays() const { return basis_rays_; }
  /// Normals of these r hyperplanes in all columns: a basis of the row space.
  const IntegerMatrix& basis_normals() const { return basis_normals_; }

  /// Pattern bits before any hyperplane has a sign: 1 for zero rows; the bits that an antipodal cell flips.
  const PatternBits& initial_bits() const { return initial_bits_; }
  const PatternBits& antipodal_flips() const { return antipodal_flips_; }

 private:
  void merge_parallel_rows(const IntegerMatrix& rows);
  void choose_order(const ArrangementOptions& options);
  void round_normals();

  std::size_t n_columns_ = 0;
  bool affine_ = false;
  std::vector<std::size_t> pivot_columns_;
  IntegerMatrix normals_;
  std::vector<std::size_t> group_start_;
  std::vector<SignedIndex> group_rows_;
  std::vector<std::int64_t> hyperplane_of_;
  std::vector<std::int8_t> orientation_;
  IntegerMatrix basis_rays_;
  IntegerMatrix basis_normals_;
  Arithmetic arithmetic_ = Arithmetic::integer;
  FilterBounds bounds_{1, 0.0};
  std::vector<double> rounded_;
  std::size_t stride_ = 0;
  std::vector<int> column_exponent_;
  PatternBits initial_bits_;
  PatternBits antipodal_flips_;
};

}  // namespace topes
