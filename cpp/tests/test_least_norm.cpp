// LeastNorm: what it leaves is a point of the set, and no point of the set is nearer.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "check.hpp"
#include "topes/least_norm.hpp"
#include "topes/simplex.hpp"

using namespace topes;
using namespace topes::test;

namespace {

template <int R>
using Point = std::array<double, R>;

template <int R>
double dot(const Point<R>& a, const Point<R>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < R; ++i) sum += a[i] * b[i];
  return sum;
}

// Rays are the dual vectors of a cone that was halved many times, so that they are close to dependent: what pricing has.
template <int R>
struct Problem {
  SimplicialCone<R> cone = make_fan<R>(Fan::cross)[0];
  Point<R> base{};
  std::vector<Point<R>> generators;
  double size = 1;

  Problem(std::uint32_t m, std::uint32_t halvings, bool integers, std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> normal;
    for (std::uint32_t k = 0; R > 1 && k < halvings; ++k) {
      const std::size_t a = engine() % R;
      const std::size_t b = (a + 1 + engine() % (R - 1)) % R;
      if (std::max(cone.bits[a], cone.bits[b]) < 20) cone = half(cone, a, b);
    }
    const auto draw = [&](Point<R>& to) {
      for (double& x : to) x = integers ? std::round(1.5 * normal(engine)) : normal(engine);
      for (const double x : to) size += std::abs(x);
    };
    draw(base);
    generators.resize(m);
    for (auto& h : generators) draw(h);
    for (std::size_t i = 0; integers && i < m; i += 3) generators[i] = generators[0];
  }

  LeastNorm<R> make() const {
    LeastNorm<R> search;
    search.start(base, cone.dual);
    for (const auto& h : generators) search.add(h);
    return search;
  }

  // Of all points of the set the least in direction x, where no ray leads further down.
  double low(const Point<R>& x) const {
    double sum = dot<R>(base, x);
    for (const auto& h : generators) sum -= std::max(0.0, dot<R>(h, x));
    return sum;
  }

  // Where the least point is 0 up to rounding, x is of the size of that: 1e-7 with rays that differ by 1e-7.
  void check_rays(const Point<R>& x) const {
    for (const auto& ray : cone.dual) CHECK(dot<R>(ray, x) > -1e-7 * std::sqrt(dot<R>(ray, ray)) * size);
  }

  // x less what the slopes make of the base, in multiples of the rays.
  void check_within(const LeastNorm<R>& search, const Point<R>& x) const {
    Point<R> rest = x;
    for (std::size_t i = 0; i < R; ++i) {
      rest[i] -= base[i];
      for (std::uint32_t k = 0; k < generators.size(); ++k) rest[i] += search.slope(k) * generators[k][i];
    }
    for (const auto& vertex : cone.vertex) CHECK(dot<R>(vertex, rest) > -1e-9 * size);
  }
};

template <int R>
void check_all() {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Problem<R> p(seed % 33, (seed / 7) % 80, seed % 2 == 1, seed);
    LeastNorm<R> search = p.make();
    Point<R> direction{};
    for (const auto& v : p.cone.vertex) {
      for (std::size_t i = 0; i < R; ++i) direction[i] += v[i];
    }
    CHECK(search.run(direction, 0.0, INFINITY));
    const auto x = search.point();
    for (std::uint32_t k = 0; k < p.generators.size(); ++k) CHECK(search.slope(k) >= 0 && search.slope(k) <= 1);
    p.check_within(search, x);
    p.check_rays(x);
    CHECK(dot<R>(x, x) - p.low(x) < 1e-9 * p.size * p.size);
    // It is never hopeless to come as near as the least point, and always hopeless, seen from there, to come half as near.
    const double least = std::sqrt(dot<R>(x, x));
    CHECK(search.run(direction, 0.0, least + 1e-9 * p.size));
    if (least > 1e-6) CHECK(!search.run(x, 0.0, 0.5 * least));
  }
}

// The least among the points whose last coordinate is zero, where rays lead to both sides of it.
template <int R>
void check_axis() {
  int checked = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Problem<R> p(seed % 33, (seed / 7) % 12, seed % 2 == 1, seed);
    const auto last = [](const auto& a, const auto& b) { return a[R - 1] < b[R - 1]; };
    const auto [low, high] = std::minmax_element(p.cone.dual.begin(), p.cone.dual.end(), last);
    if (!((*low)[R - 1] < 0 && (*high)[R - 1] > 0)) continue;
    ++checked;
    LeastNorm<R> search = p.make();
    Point<R> direction{};
    for (const auto& v : p.cone.vertex) {
      for (std::size_t i = 0; i < R; ++i) direction[i] += v[i];
    }
    CHECK(search.run(direction, 0.0, INFINITY));
    search.forbid_last();
    const auto w = search.point();  // with the multiplier
    auto x = w;
    x[R - 1] = 0;
    p.check_rays(w);
    p.check_within(search, x);
    CHECK(dot<R>(x, x) - p.low(w) < 1e-9 * p.size * (p.size + std::abs(w[R - 1])));
  }
  CHECK(checked > 500);
}

}  // namespace

TEST(no_point_is_nearer) {
  check_all<1>();
  check_all<2>();
  check_all<3>();
  check_all<5>();
  check_all<8>();
}

TEST(no_point_with_a_last_coordinate_of_zero_is_nearer) {
  check_axis<2>();
  check_axis<3>();
  check_axis<5>();
}
