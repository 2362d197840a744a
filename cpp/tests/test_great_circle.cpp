// GreatCircle: nothing on a fine grid of the circle is better, and the point found has the price it is said to have.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "check.hpp"
#include "topes/error.hpp"
#include "topes/great_circle.hpp"

using namespace topes;
using namespace topes::test;

namespace {

struct Rows {
  std::vector<double> a, b, v;
  double sign = 1;
  double kappa = 0;

  double price(double c, double s) const {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double x = c * a[i] + s * b[i];
      sum += v[i] * std::max(x, kappa * x);
    }
    return sign * sum;
  }
  double size() const {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(v[i]) * std::hypot(a[i], b[i]);
    return sum * std::max(1.0, std::abs(kappa));
  }
};

void check(const Rows& rows) {
  GreatCircle circle;
  const CirclePoint x = circle.best(rows.a, rows.b, rows.v, rows.sign, rows.kappa);
  const double slack = 1e-12 * rows.size();
  CHECK(std::abs(std::hypot(x.cos, x.sin) - 1) < 1e-12);
  CHECK(std::abs(rows.price(x.cos, x.sin) - x.value) <= slack);
  for (int k = 0; k < 720; ++k) {
    const double t = std::numbers::pi * k / 360;
    CHECK(rows.price(std::cos(t), std::sin(t)) <= x.value + slack);
  }
  for (std::size_t i = 0; i < rows.a.size(); ++i) {  // where rows cross
    const double size = std::hypot(rows.a[i], rows.b[i]);
    if (size == 0) continue;
    for (const double s : {1.0, -1.0}) CHECK(rows.price(-s * rows.b[i] / size, s * rows.a[i] / size) <= x.value + slack);
  }
}

}  // namespace

TEST(great_circle_is_no_worse_than_a_grid) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> normal;
    const bool integers = seed % 2 == 1;
    const auto draw = [&] { return integers ? std::round(normal(engine)) : normal(engine); };
    Rows rows;
    rows.sign = seed % 3 == 0 ? -1 : 1;
    rows.kappa = seed % 5 == 0 ? -1.0 : seed % 5 == 1 ? 0.3 : 0.0;
    for (std::uint64_t i = 0; i < seed % 30; ++i) {
      rows.a.push_back(draw());
      rows.b.push_back(draw());
      rows.v.push_back(draw());
      if (i % 4 == 3) rows.a.back() = 0;
      if (i % 7 == 6) rows.b.back() = 0;
      if (i % 5 == 4) {
        rows.a.back() = -2 * rows.a.front();
        rows.b.back() = -2 * rows.b.front();
      }
    }
    check(rows);
    for (double& x : rows.a) x *= 1e-160;
    for (double& x : rows.b) x *= 1e-160;
    check(rows);
  }
}

TEST(great_circle_of_one_row) {
  GreatCircle circle;
  const std::vector<double> a{3};
  const std::vector<double> b{4};
  const std::vector<double> v{2};
  const CirclePoint up = circle.best(a, b, v, 1, 0);
  CHECK(std::abs(up.value - 10) < 1e-14 && std::abs(up.cos - 0.6) < 1e-15 && std::abs(up.sin - 0.8) < 1e-15);
  CHECK(circle.best(a, b, v, -1, 0).value == 0);
  const CirclePoint down = circle.best(a, b, v, -1, -0.5);  // -2 max(x, -x / 2) is 0 at best
  CHECK(std::abs(down.value) < 1e-14);
}

TEST(great_circle_refuses_arrays_that_do_not_fit) {
  GreatCircle circle;
  CHECK_THROWS(circle.best(std::vector<double>{1.0}, std::vector<double>{}, std::vector<double>{1.0}, 1, 0), InvalidArgument);
}
