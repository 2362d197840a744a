// ConcaveMaximum: the value at its point and the bound from its slopes are the same, so both are the maximum.
#include <algorithm>
#include <cmath>
#include <random>

#include "check.hpp"
#include "topes/concave_maximum.hpp"

using namespace topes;
using namespace topes::test;

namespace {

template <int R>
struct Problem {
  std::array<double, R> g{};
  std::array<std::vector<double>, R> entries;
  std::vector<double> weight;

  // Integers make ties: kinks through vertices, through each other, equal ones.
  Problem(std::uint32_t m, bool integers, std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> normal;
    const auto draw = [&] { return integers ? std::round(1.5 * normal(engine)) : normal(engine); };
    for (double& each : g) each = draw();
    for (auto& row : entries) {
      for (std::uint32_t k = 0; k < m; ++k) row.push_back(draw());
    }
    for (std::uint32_t k = 0; k < m; ++k) weight.push_back(integers ? 1.0 : std::exp(2.0 * normal(engine)));
  }

  std::array<double*, R> z() {
    std::array<double*, R> out;
    for (std::size_t j = 0; j < R; ++j) out[j] = entries[j].data();
    return out;
  }

  double value(const std::array<double, R>& x) const {
    double sum = 0;
    for (std::size_t j = 0; j < R; ++j) sum += g[j] * x[j];
    for (std::size_t k = 0; k < weight.size(); ++k) {
      double h = 0;
      for (std::size_t j = 0; j < R; ++j) h += entries[j][k] * x[j];
      sum -= weight[k] * std::max(0.0, h);
    }
    return sum;
  }

  double bound(const std::vector<double>& slope) const {
    double most = -INFINITY;
    for (std::size_t j = 0; j < R; ++j) {
      double t = g[j];
      for (std::size_t k = 0; k < weight.size(); ++k) t -= slope[k] * weight[k] * entries[j][k];
      most = std::max(most, t);
    }
    return most;
  }
};

template <int R>
void check_all() {
  ConcaveMaximum<R> search;
  std::vector<double> slope;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const auto m = static_cast<std::uint32_t>(seed % 25);
    const bool integers = seed % 2 == 1;
    Problem<R> p(m, integers, seed);
    const auto x = search.run(p.g, p.z(), p.weight.data(), m, slope);
    double total = 0;
    for (const double each : x) {
      CHECK(each >= 0);
      total += each;
    }
    CHECK(std::abs(total - 1.0) < 1e-9);
    CHECK(slope.size() == m);
    for (const double c : slope) CHECK(c >= 0 && c <= 1);
    double size = 1;
    for (std::size_t k = 0; k < m; ++k) size += p.weight[k];
    CHECK(p.bound(slope) - p.value(x) > -1e-9 * size);
    CHECK(p.bound(slope) - p.value(x) < 1e-9 * size);
  }
}

}  // namespace

TEST(value_meets_bound) {
  check_all<2>();
  check_all<3>();
  check_all<4>();
  check_all<8>();
}

TEST(a_point) {
  Problem<1> p(3, false, 1);
  std::vector<double> slope;
  const auto x = ConcaveMaximum<1>().run(p.g, p.z(), p.weight.data(), 3, slope);
  CHECK(x[0] == 1.0);
  CHECK(std::abs(p.bound(slope) - p.value(x)) < 1e-12);
}
