// The filter's bounds hold, and the compiler keeps the roundings they count.
#include <algorithm>
#include <array>
#include <cmath>

#include "check.hpp"
#include "topes/linalg.hpp"
#include "topes/ray.hpp"
#include "topes/verified_kernel.hpp"

using namespace topes;
using namespace topes::test;

namespace {

double product_minus(double a, double b, double c) { return a * b - c; }

// |computed - true|, for a vector of doubles against exact integers up to a common factor: compares at the largest entry.
bool within(const std::vector<double>& computed, const std::vector<Integer>& exact, double error) {
  std::size_t top = 0;
  for (std::size_t j = 1; j < computed.size(); ++j) {
    if (std::abs(computed[j]) > std::abs(computed[top])) top = j;
  }
  // Scaled so that entry `top` agrees, the others may be off by the error of both.
  for (std::size_t j = 0; j < computed.size(); ++j) {
    const double ratio = to_double((exact[j] << 80) / exact[top], -80);
    if (std::abs(computed[j] - ratio * computed[top]) > 2.01 * error + std::abs(computed[top]) * 0x1p-50) return false;
  }
  return true;
}

}  // namespace

TEST(products_are_rounded_before_they_are_added) {
  // With a fused multiply-add the difference would be the rounding error of the product, not zero.
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(1, 2);
  for (int i = 0; i < 1000; ++i) {
    const double a = uniform(random);
    const double b = uniform(random);
    volatile double product = a * b;
    CHECK(product_minus(a, b, product) == 0.0);
  }
  const std::array<double, 2> u = {1 + 0x1p-30, 1};
  const std::array<double, 2> v = {1 + 0x1p-30, -(1 + 0x1p-29)};
  CHECK(dot<2>(u.data(), v.data(), 2) == 0.0);  // 2^-60 is rounded away before the sum
}

TEST(minors_and_verified_kernels_are_within_their_bounds) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  int proved = 0;
  for (int trial = 0; trial < 400; ++trial) {
    constexpr int r = 5;
    std::vector<double> rows((r - 1) * r);
    for (double& x : rows) x = std::clamp(normal(random) / 4, -1.0, 1.0);
    if (trial % 2 == 1) {  // the last row nearly in the span of the others
      for (int j = 0; j < r; ++j) rows[3 * r + j] = 0.25 * (rows[j] + rows[r + j]) + std::ldexp(normal(random), -trial / 10);
      for (double& x : rows) x = std::clamp(x, -1.0, 1.0);
    }
    const double* pointers[r - 1] = {&rows[0], &rows[r], &rows[2 * r], &rows[3 * r]};
    const std::vector<Integer> exact = kernel_line(integers_from_doubles(rows, r - 1, r));
    const FilterBounds bounds(r, 0.0);
    std::vector<double> computed(r);
    maximal_minors<r>(pointers, computed.data());
    CHECK(within(computed, exact, bounds.minor_error()));
    VerifiedKernel kernel(r, 0.0);
    const auto error = kernel(pointers, computed.data());
    if (!error) continue;
    ++proved;
    CHECK(within(computed, exact, *error));
  }
  CHECK(proved > 200);
}
