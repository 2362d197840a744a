#include "topes/zonotope.hpp"

#include <bit>

#include "topes/count.hpp"

namespace topes {

namespace {

// An unevaluated sum of two doubles [Dekker71].
struct DoubleDouble {
  double high = 0;
  double low = 0;
  void add(double x) {
    const double sum = high + x;
    const double b = sum - high;
    low += (high - (sum - b)) + (x - b);
    high = sum + low;
    low -= high - sum;
  }
};

}  // namespace

std::vector<double> zonotope_vertices(const Arrangement& a, const HeldCells& held, std::span<const double> x,
                                      std::size_t d, const WalkOptions& options) {
  const std::size_t n = a.n_rows();
  const std::size_t stride = held.rows.stride();
  const std::uint64_t per_leaf = cells_per_leaf(a);
  std::vector<double> out(held.rows.size() * per_leaf * d);
  constexpr std::uint64_t kPiece = 1 << 10;  // leaves between two fresh sums: errors do not build up
  const std::vector<double> weights((held.rows.size() + kPiece - 1) / kPiece, 1.0);
  Control control;
  run_tasks(weights, options.n_threads, control, options.hook, [&](std::size_t task, unsigned) {
    control.poll();
    std::vector<DoubleDouble> sum(d), opposite(d);  // over the rows of the cell, and over the others
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < d; ++j) opposite[j].add(x[i * d + j]);
    }
    std::vector<std::uint8_t> previous(stride, 0);
    const std::uint64_t first = task * kPiece;
    held.rows.for_each_run(first, std::min(first + kPiece, held.rows.size()),
                           [&](std::uint64_t leaf, std::span<const std::uint8_t> rows) {
      for (std::size_t at = 0; at < rows.size(); at += stride, ++leaf) {
        for (std::size_t b = 0; b < stride; ++b) {
          const std::uint8_t now = rows[at + b];
          for (unsigned changed = now ^ previous[b]; changed != 0; changed &= changed - 1) {
            const std::size_t i = 8 * b + static_cast<std::size_t>(std::countr_zero(changed));
            const double sign = ((now >> (i % 8)) & 1U) != 0 ? 1.0 : -1.0;
            for (std::size_t j = 0; j < d; ++j) {
              sum[j].add(sign * x[i * d + j]);
              opposite[j].add(-sign * x[i * d + j]);
            }
          }
          previous[b] = now;
        }
        double* to = out.data() + leaf * per_leaf * d;
        for (std::size_t j = 0; j < d; ++j) {
          to[j] = sum[j].high;
          if (per_leaf == 2) to[d + j] = opposite[j].high;
        }
      }
    });
  });
  return out;
}

}  // namespace topes
