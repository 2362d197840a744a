// Counts against closed forms.
#include "check.hpp"
#include "topes/count.hpp"
#include "topes/error.hpp"

using namespace topes;
using namespace topes::test;

namespace {

std::uint64_t count(const IntegerMatrix& m, unsigned threads = 2, bool affine = false) {
  ArrangementOptions options;
  options.affine = affine;
  return count_cells(Arrangement(m, options), ~std::uint64_t{0}, {threads, {}}).n_cells;
}

std::uint64_t generic(std::uint64_t n, std::uint64_t r) {
  std::uint64_t sum = 0;
  std::uint64_t term = 1;
  for (std::uint64_t k = 0; k < r && k < n; ++k) {
    sum += term;
    term = term * (n - 1 - k) / (k + 1);
  }
  return 2 * sum;
}

}  // namespace

TEST(generic_arrangements_of_every_rank) {
  for (std::size_t r = 1; r <= 9; ++r) {
    for (std::size_t n = 1; n <= r + 4; ++n) CHECK(count(gaussian(n, r, n + 31 * r)) == generic(n, r));
  }
  CHECK(count(gaussian(300, 3, 1)) == generic(300, 3));
  CHECK(count(gaussian(60, 4, 1)) == generic(60, 4));
}

TEST(threshold_functions) {
  const std::vector<std::uint64_t> expected = {4, 14, 104, 1882, 94572};
  for (int m = 1; m <= 5; ++m) CHECK(count(integers(threshold_rows(m))) == expected[static_cast<std::size_t>(m - 1)]);
}

TEST(resonance_arrangements) {
  const std::vector<std::uint64_t> expected = {6, 32, 370, 11292};
  for (int m = 2; m <= 5; ++m) {
    std::vector<std::vector<std::int64_t>> rows;
    for (int s = 1; s < (1 << m); ++s) {
      rows.emplace_back();
      for (int j = 0; j < m; ++j) rows.back().push_back((s >> j) & 1);
    }
    CHECK(count(integers(rows)) == expected[static_cast<std::size_t>(m - 2)]);
  }
}

TEST(braid_and_type_b) {
  std::uint64_t factorial = 1;
  for (std::size_t n = 2; n <= 7; ++n) {
    factorial *= n;
    std::vector<std::vector<std::int64_t>> braid;
    std::vector<std::vector<std::int64_t>> b;
    for (std::size_t i = 0; i < n; ++i) {
      b.emplace_back(n, 0);
      b.back()[i] = 1;
      for (std::size_t j = 0; j < i; ++j) {
        for (const int sign : {1, -1}) {
          b.emplace_back(n, 0);
          b.back()[i] = 1;
          b.back()[j] = sign;
          if (sign < 0) braid.push_back(b.back());
        }
      }
    }
    CHECK(count(integers(braid)) == factorial);
    if (n <= 6) CHECK(count(integers(b)) == factorial << n);
  }
}

TEST(no_hyperplanes_and_parallel_ones) {
  CHECK(count(IntegerMatrix(0, 3)) == 1);
  CHECK(count(integers({{0, 0}, {0, 0}})) == 1);
  CHECK(count(integers({{1, 2}, {2, 4}, {-3, -6}, {0, 0}})) == 2);
  CHECK(count(integers({{0, 1}}), 1, true) == 1);      // 0.w = -1: no hyperplane
  CHECK(count(integers({{1, 0}, {1, 1}, {1, 2}}), 1, true) == 4);  // three points of a line
}

TEST(one_ulp_apart_and_exactly_together) {
  const double up = std::nextafter(1.0, 2.0);
  CHECK(count(integers_from_doubles(std::vector<double>{1, 1, 1, up}, 2, 2)) == 4);
  CHECK(count(integers_from_doubles(std::vector<double>{1, 1, 3, 3}, 2, 2)) == 2);
  // Doubles: 1 + 0.1 rounds to 1.1 but is not 1.1, so the third plane misses the line of the first two; in tenths it is on it.
  CHECK(count(integers_from_doubles(std::vector<double>{1, 0.1, 0, 0, 1, 0.3, 1, 1.1, 0.3}, 3, 3)) == 8);
  CHECK(count(integers({{10, 1, 0}, {0, 10, 3}, {10, 11, 3}})) == 6);
  CHECK(count(integers_from_doubles(std::vector<double>{1, 0.25, 0, 0, 1, 0.5, 1, 1.25, 0.5}, 3, 3)) == 6);
  CHECK(count(integers_from_doubles(std::vector<double>{1, 0.25, 0, 0, 1, 0.5, 1, std::nextafter(1.25, 2), 0.5}, 3, 3)) == 8);
}

TEST(threads_agree_and_limits_hold) {
  const Arrangement a(gaussian(400, 3, 5));
  for (const unsigned threads : {1U, 2U, 7U}) CHECK(count_cells(a, ~std::uint64_t{0}, {threads, {}}).n_cells == generic(400, 3));
  CHECK_THROWS(count_cells(a, 100, {2, {}}), CellLimit);
}

TEST(a_hook_that_throws_stops_the_walk) {
  struct Stop {};
  const Arrangement a(gaussian(3000, 4, 5));
  bool stopped = false;
  try {
    count_cells(a, ~std::uint64_t{0}, {2, [](double, std::uint64_t) { throw Stop(); }});
  } catch (const Stop&) {
    stopped = true;
  }
  CHECK(stopped);
}

TEST(estimates_are_near) {
  const Arrangement a(gaussian(200, 3, 9));
  const CountEstimate e = estimate_count(a, 4000, 1, {});
  CHECK(std::abs(e.mean - static_cast<double>(generic(200, 3))) < 6 * e.standard_error);
  CHECK(e.standard_error < 0.1 * e.mean);
}
