// What the solid angles of the cells of one task add up to. Parts added in the order of the plan make the summary.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace topes {

/// Keeps the rounding errors of a long sum [Neumaier74].
struct Sum {
  double high = 0;
  double low = 0;

  void add(double x) {
    const double t = high + x;
    low += std::abs(high) >= std::abs(x) ? (high - t) + x : (x - t) + high;
    high = t;
  }
  void add(const Sum& o) {
    add(o.high);
    add(o.low);
  }
  double value() const { return high + low; }
};

/// A cell by its pattern, with its angle.
struct AngledCell {
  double angle = 0;
  double error = 0;
  std::vector<std::uint8_t> packed;
};

/// One cell of each antipodal pair is counted.
struct AnglePart {
  Sum sum, error;
  std::uint64_t n = 0;
  std::uint64_t n_exact = 0;  ///< cones that needed exact rays
  AngledCell least{std::numeric_limits<double>::infinity(), 0, {}};
  AngledCell greatest{-1, 0, {}};
  std::int64_t first_bin = 0;
  std::vector<std::int64_t> bins;

  void count(std::int64_t bin, std::int64_t times) {
    if (bins.empty()) first_bin = bin;
    if (bin < first_bin) {
      bins.insert(bins.begin(), static_cast<std::size_t>(first_bin - bin), 0);
      first_bin = bin;
    }
    const auto at = static_cast<std::size_t>(bin - first_bin);
    if (at >= bins.size()) bins.resize(at + 1, 0);
    bins[at] += times;
  }
  void add(const AnglePart& o) {
    sum.add(o.sum);
    error.add(o.error);
    n += o.n;
    n_exact += o.n_exact;
    if (o.least.angle < least.angle) least = o.least;
    if (o.greatest.angle > greatest.angle) greatest = o.greatest;
    for (std::size_t k = 0; k < o.bins.size(); ++k) count(o.first_bin + static_cast<std::int64_t>(k), o.bins[k]);
  }
};

}  // namespace topes
