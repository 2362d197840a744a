#include "topes/arrangement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "topes/error.hpp"
#include "topes/linalg.hpp"
#include "topes/random.hpp"

namespace topes {

namespace {

std::size_t hash_row(std::span<const Integer> row) {
  std::size_t h = 0;
  for (const Integer& x : row) h = h * 0x9e3779b97f4a7c15ULL + hash_value(x);
  return h;
}

IntegerMatrix take(const IntegerMatrix& a, std::span<const std::size_t> rows, std::span<const std::size_t> cols) {
  IntegerMatrix out(rows.size(), cols.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < cols.size(); ++j) out.row(i)[j] = a.row(rows[i])[cols[j]];
  }
  return out;
}

}  // namespace

Arrangement::Arrangement(const IntegerMatrix& rows, const ArrangementOptions& options)
    : n_columns_(rows.cols), affine_(options.affine) {
  merge_parallel_rows(rows);
  choose_order(options);
  round_normals();
  initial_bits_ = PatternBits(n_rows());
  antipodal_flips_ = PatternBits(n_rows());
  for (std::size_t i = 0; i < n_rows(); ++i) {
    initial_bits_.set(i, orientation_[i] == 0);
    antipodal_flips_.set(i, orientation_[i] != 0);
  }
}

// Fills normals_ (all columns), group_*, hyperplane_of_, orientation_, hyperplanes by first appearance.
void Arrangement::merge_parallel_rows(const IntegerMatrix& rows) {
  const std::size_t n = rows.rows;
  const std::size_t d = rows.cols;
  if (n > std::numeric_limits<std::uint32_t>::max() / 2 - 1) throw InvalidArgument("too many rows");
  hyperplane_of_.assign(n, -1);
  orientation_.assign(n, 0);
  std::vector<std::vector<SignedIndex>> groups;
  std::unordered_multimap<std::size_t, std::size_t> by_hash;
  std::vector<Integer> distinct;
  const auto add = [&](std::span<const Integer> row) -> std::pair<std::int64_t, bool> {
    std::vector<Integer> key(row.begin(), row.end());
    make_primitive(key);
    const auto lead = std::find_if(key.begin(), key.end(), [](const Integer& x) { return !x.is_zero(); });
    if (lead == key.end()) return {-1, false};
    const bool flipped = *lead < 0;
    if (flipped) {
      for (Integer& x : key) x = -x;
    }
    const std::size_t h = hash_row(key);
    for (auto [it, end] = by_hash.equal_range(h); it != end; ++it) {
      if (std::equal(key.begin(), key.end(), distinct.begin() + static_cast<std::ptrdiff_t>(it->second * d))) {
        return {static_cast<std::int64_t>(it->second), flipped};
      }
    }
    by_hash.emplace(h, groups.size());
    groups.emplace_back();
    for (Integer& x : key) distinct.push_back(std::move(x));
    return {static_cast<std::int64_t>(groups.size() - 1), flipped};
  };
  std::vector<char> flipped_normal;  // the stored key is minus the first row
  if (affine_) {
    std::vector<Integer> infinity(d);
    infinity[d - 1] = 1;
    add(infinity);
    flipped_normal.push_back(0);
  }
  for (std::size_t i = 0; i < n; ++i) {
    const auto [h, flipped] = add(rows.row(i));
    hyperplane_of_[i] = h;
    if (h < 0) continue;
    const auto index = static_cast<std::size_t>(h);
    if (index == flipped_normal.size()) flipped_normal.push_back(flipped ? 1 : 0);
    const bool opposite = flipped != (flipped_normal[index] != 0);
    orientation_[i] = opposite ? -1 : 1;
    groups[index].emplace_back(static_cast<std::uint32_t>(i), opposite);
  }
  normals_.rows = groups.size();
  normals_.cols = d;
  normals_.entries = std::move(distinct);
  for (std::size_t h = 0; h < groups.size(); ++h) {
    if (flipped_normal[h] == 0) continue;
    for (Integer& x : normals_.row(h)) x = -x;
  }
  group_start_.assign(1, 0);
  for (const auto& group : groups) {
    group_rows_.insert(group_rows_.end(), group.begin(), group.end());
    group_start_.push_back(group_rows_.size());
  }
}

// Permutes the hyperplanes into walk order (a basis first) and reduces them to the pivot columns.
void Arrangement::choose_order(const ArrangementOptions& options) {
  const std::size_t m = group_start_.size() - 1;
  std::vector<std::size_t> order(m);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t fixed = affine_ ? 1 : 0;  // infinity stays first: its sign is given
  const std::size_t first_inserted = options.first_inserted == 0 ? n_rows() : options.first_inserted;
  std::size_t shuffled = fixed;  // hyperplanes are numbered by first row, so the inserted ones are last
  while (shuffled < m && group_rows_[group_start_[shuffled]].index() < first_inserted) ++shuffled;
  SplitMix64 random(options.seed);
  for (std::size_t i = shuffled; i > fixed + 1; --i) {
    std::swap(order[i - 1], order[fixed + random() % (i - fixed)]);
  }
  std::vector<std::size_t> all_columns(n_columns_);
  std::iota(all_columns.begin(), all_columns.end(), std::size_t{0});
  RankProfile profile = rank_profile(take(normals_, order, all_columns));
  pivot_columns_ = profile.cols;
  std::vector<std::size_t> walk;
  walk.reserve(m);
  std::vector<char> in_basis(m, 0);
  for (const std::size_t i : profile.rows) {
    walk.push_back(order[i]);
    in_basis[i] = 1;
  }
  for (std::size_t i = 0; i < m; ++i) {
    if (in_basis[i] == 0) walk.push_back(order[i]);
  }
  basis_normals_ = take(normals_, std::span(walk).first(pivot_columns_.size()), all_columns);
  normals_ = take(normals_, walk, pivot_columns_);
  for (std::size_t h = 0; h < m; ++h) make_primitive(normals_.row(h));
  std::vector<std::size_t> start(1, 0);
  std::vector<SignedIndex> rows;
  rows.reserve(group_rows_.size());
  for (std::size_t h = 0; h < m; ++h) {
    for (std::size_t k = group_start_[walk[h]]; k < group_start_[walk[h] + 1]; ++k) {
      hyperplane_of_[group_rows_[k].index()] = static_cast<std::int64_t>(h);
      rows.push_back(group_rows_[k]);
    }
    start.push_back(rows.size());
  }
  group_start_ = std::move(start);
  group_rows_ = std::move(rows);
  IntegerMatrix basis(pivot_columns_.size(), pivot_columns_.size());
  std::copy_n(normals_.entries.begin(), basis.entries.size(), basis.entries.begin());
  basis_rays_ = dual_basis(basis);
}

void Arrangement::round_normals() {
  const auto r = static_cast<std::size_t>(rank());
  const std::size_t m = size();
  stride_ = r == 3 ? 4 : std::max<std::size_t>(r, 1);  // rank 3 padded to whole vectors
  rounded_.assign(m * stride_, 0.0);
  column_exponent_.assign(r, 0);

  // Every number that occurs is at most r! M^r: a partial sum of an r x r determinant, or smaller.
  double largest = 0;
  for (const Integer& x : normals_.entries) largest = std::max(largest, std::abs(to_double(x)));
  double bound = 1;
  for (std::size_t k = 1; k <= r && bound <= 0x1p53; ++k) bound *= static_cast<double>(k) * largest;
  if (bound < 0x1p52) {  // half of 2^53 leaves room for the roundings of the bound itself
    arithmetic_ = Arithmetic::integer;
    bounds_ = FilterBounds(std::max(rank(), 1), 0.0);
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t j = 0; j < r; ++j) rounded_[h * stride_ + j] = to_double(normals_.row(h)[j]);
    }
    return;
  }
  arithmetic_ = Arithmetic::filtered;
  std::vector<Scaled> scaled(m * r);
  std::transform(normals_.entries.begin(), normals_.entries.end(), scaled.begin(), to_scaled);
  // Equilibrate: rows to largest entry 1, then columns to median entry 1, so that no column is lost to the filter.
  constexpr std::int64_t kZero = std::numeric_limits<std::int64_t>::min();
  const auto exponent = [&](std::size_t h, std::size_t j) {
    return scaled[h * r + j].mantissa == 0 ? kZero : scaled[h * r + j].exponent;
  };
  const auto row_exponent = [&](std::size_t h) {
    std::int64_t e = kZero;
    for (std::size_t j = 0; j < r; ++j) {
      if (exponent(h, j) != kZero) e = std::max(e, exponent(h, j) + column_exponent_[j]);
    }
    return e;
  };
  std::vector<int> shift(r);
  std::vector<std::int64_t> column;
  for (std::size_t j = 0; j < r; ++j) {
    column.clear();
    for (std::size_t h = 0; h < m; ++h) {
      if (exponent(h, j) != kZero) column.push_back(exponent(h, j) - row_exponent(h));
    }
    const auto middle = column.begin() + static_cast<std::ptrdiff_t>(column.size() / 2);
    std::nth_element(column.begin(), middle, column.end());
    shift[j] = static_cast<int>(std::clamp<std::int64_t>(-*middle, -500, 500));
  }
  column_exponent_ = shift;
  bool exact = true;
  for (std::size_t h = 0; h < m; ++h) {
    const std::int64_t e = row_exponent(h);
    for (std::size_t j = 0; j < r; ++j) {
      const std::int64_t s = static_cast<std::int64_t>(column_exponent_[j]) - e;
      rounded_[h * stride_ + j] = to_double(normals_.row(h)[j], s);
      const Integer& x = normals_.row(h)[j];
      if (!x.is_zero()) {
        const auto bits = static_cast<std::int64_t>(msb(abs(x)) - lsb(abs(x))) + 1;
        if (bits > 53 || scaled[h * r + j].exponent + s < -900) exact = false;
      }
    }
  }
  bounds_ = FilterBounds(rank(), exact ? 0.0 : kRoundoff);
}

}  // namespace topes
