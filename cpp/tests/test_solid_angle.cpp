// Solid angles: known values, sums, slivers, threads, triangulations of degenerate cones.
#include "check.hpp"

#include <algorithm>
#include <numeric>

#include "topes/error.hpp"
#include "topes/solid_angle.hpp"
#include "topes/solid_angle_metric.hpp"
#include "topes/solid_angle_pull.hpp"
#include "topes/solid_angle_simplex.hpp"
#include "topes/solid_angle_split.hpp"

using namespace topes;
using namespace topes::test;

namespace {

SolidAngles angles(const IntegerMatrix& m, unsigned threads = 2) {
  AngleOptions options;
  options.walk.n_threads = threads;
  return solid_angles(Arrangement(m), options);
}

double total(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

IntegerMatrix identity(std::size_t r) {
  IntegerMatrix out(r, r);
  for (std::size_t i = 0; i < r; ++i) out.row(i)[i] = 1;
  return out;
}

}  // namespace

TEST(orthants) {
  for (std::size_t r = 0; r <= 8; ++r) {
    const SolidAngles found = angles(identity(r));
    CHECK(found.angles.size() == std::size_t{1} << r);
    for (std::size_t k = 0; k < found.angles.size(); ++k) {
      CHECK(std::abs(found.angles[k] - std::ldexp(1.0, -static_cast<int>(r))) <= found.errors[k] + 1e-16);
      CHECK(found.errors[k] <= (r <= 5 ? 1e-9 : 0.1) * found.angles[k]);
    }
  }
}

TEST(sums_are_one_within_the_stated_error) {
  for (std::size_t r = 2; r <= 8; ++r) {
    for (const std::size_t n : {r, r + 1, r + 3}) {
      const SolidAngles found = angles(gaussian(n, r, n + 17 * r));
      CHECK(std::abs(total(found.angles) - 1) <= total(found.errors));
    }
  }
  for (const auto& [n, r] : {std::pair<std::size_t, std::size_t>{300, 3}, {40, 4}, {18, 5}}) {
    const SolidAngles found = angles(gaussian(n, r, 3));
    CHECK(std::abs(total(found.angles) - 1) <= 1e-11);
    CHECK(total(found.errors) <= 1e-9);
  }
}

// Threshold functions of few inputs: cones with many rays on each facet.
TEST(degenerate_cones) {
  for (int m = 1; m <= 4; ++m) {
    const SolidAngles found = angles(integers(threshold_rows(m)));
    CHECK(std::abs(total(found.angles) - 1) <= total(found.errors) + 1e-15);
  }
}

TEST(the_summary_agrees_with_the_list) {
  for (std::size_t r = 0; r <= 5; ++r) {
    const Arrangement a(gaussian(r + 6, r, r));
    const SolidAngles list = solid_angles(a, {});
    const AngleSummary s = summarise_angles(a, {});
    CHECK(s.n_cells == list.angles.size());
    CHECK(s.least.angle == *std::min_element(list.angles.begin(), list.angles.end()));
    CHECK(s.greatest.angle == *std::max_element(list.angles.begin(), list.angles.end()));
    CHECK(std::accumulate(s.bins.begin(), s.bins.end(), std::int64_t{0}) == static_cast<std::int64_t>(s.n_cells));
    const auto one = angle_of_cell(a, s.least.packed, {});
    CHECK(one && std::abs(one->angle - s.least.angle) <= 2e-9 * s.least.angle);
  }
}

TEST(same_bytes_for_any_number_of_threads) {
  for (const auto& [n, r] : {std::pair<std::size_t, std::size_t>{200, 3}, {40, 4}, {14, 5}, {9, 6}}) {
    const IntegerMatrix m = gaussian(n, r, 5);
    const SolidAngles one = angles(m, 1);
    for (const unsigned threads : {2U, 7U}) {
      const SolidAngles other = angles(m, threads);
      CHECK(one.angles == other.angles && one.errors == other.errors);
      CHECK(one.counters.exact_cones == other.counters.exact_cones);
    }
  }
}

TEST(rounded_rays_give_way_to_exact_ones) {
  // Three planes that all but share a line: rounded rays would keep no digit of the sliver between them.
  const double up = std::nextafter(1.0, 2.0);
  const IntegerMatrix m = integers_from_doubles(std::vector<double>{1, 0, 1, 1, 1, 1, 1, 2, up, 0.1, 0.3, 0.7}, 4, 3);
  const SolidAngles found = angles(m);
  CHECK(found.counters.exact_cones > 0);
  CHECK(std::abs(total(found.angles) - 1) <= 1e-13);
  for (std::size_t k = 0; k < found.angles.size(); ++k) CHECK(found.errors[k] <= 1e-9 * found.angles[k]);
}

TEST(limits_and_affine_arrangements) {
  AngleOptions options;
  options.max_cells = 10;
  CHECK_THROWS(solid_angles(Arrangement(gaussian(50, 3, 1)), options), CellLimit);
  ArrangementOptions affine;
  affine.affine = true;
  CHECK_THROWS(solid_angles(Arrangement(identity(2), affine), {}), InvalidArgument);
  CHECK_THROWS(summarise_angles(Arrangement(identity(2), affine), {}), InvalidArgument);
  const std::uint8_t none = 0b100;  // x < 0, y < 0, x + y > 0
  CHECK(!angle_of_cell(Arrangement(integers({{1, 0}, {0, 1}, {1, 1}})), std::span(&none, 1), {}));
}

// Triangulations of the cone over a cube of dimension k hold k! / (pieces of one vertex's pulling): 2, 6, 24 for squares,
// cubes, ...
TEST(pulling_small_and_large_sets_agree) {
  for (int k = 2; k <= 5; ++k) {
    const std::uint32_t n = 1U << k;
    Pulling<SmallRaySet> small;
    Pulling<LargeRaySet> large;
    SmallRaySet all_small = SmallRaySet::none(n);
    LargeRaySet all_large = LargeRaySet::none(n);
    for (std::uint32_t v = 0; v < n; ++v) {
      all_small.add(v);
      all_large.add(v);
    }
    for (int j = 0; j < k; ++j) {
      for (const std::uint32_t side : {0U, 1U}) {
        small.facets().push_back(SmallRaySet::none(n));
        large.facets().push_back(LargeRaySet::none(n));
        for (std::uint32_t v = 0; v < n; ++v) {
          if (((v >> j) & 1U) != side) continue;
          small.facets().back().add(v);
          large.facets().back().add(v);
        }
      }
    }
    std::vector<std::vector<std::uint32_t>> a, b;
    small(all_small, k + 1, [&](const std::vector<std::uint32_t>& rays) { a.push_back(rays); });
    large(all_large, k + 1, [&](const std::vector<std::uint32_t>& rays) { b.push_back(rays); });
    std::size_t factorial = 1;
    for (int j = 2; j <= k; ++j) factorial *= static_cast<std::size_t>(j);
    CHECK(a == b);
    CHECK(a.size() == factorial);  // all of volume 1 / k!
  }
}

TEST(halving_keeps_the_measure) {
  const NestedRule rule(4);
  std::vector<double> gram{0.9, 0.8, 0.7, 0.85, 0.75, 0.8};
  Measured whole;
  CHECK(rule(gram, 1.0, whole));
  Measured halves;
  for (const bool keep_b : {true, false}) {
    std::vector<double> half = gram;
    const double factor = halve(half, 4, 0, 3, keep_b);
    CHECK(rule(half, factor, halves));
  }
  CHECK(std::abs(whole.value - halves.value) <= 1e-9 * whole.value);
  // Three rays that all but surround the origin in their plane: the middle of two is opposite to the third.
  std::vector<double> flat{-0.5, -0.5, 0, -0.5, 0, 0};
  CHECK(!rule(flat, 1.0, whole));
}

// Rays that all but surround the origin, at every rank: at most r! pieces, none of them obtuse, of the same measure.
TEST(cutting_at_centres_ends) {
  std::size_t factorial = 2;
  for (std::size_t r = 3; r <= 7; ++r) {
    factorial *= r;
    for (const unsigned flat : {4U, 40U, 400U}) {
      // Rows of a random matrix and minus a positive combination of them, lifted by 2^-flat along the last coordinate.
      const IntegerMatrix m = gaussian(r - 1, r - 1, 100 * r + flat);
      IntegerMatrix rays(r, r);
      for (std::size_t i = 0; i + 1 < r; ++i) {
        for (std::size_t j = 0; j + 1 < r; ++j) {
          rays.row(i)[j] = m.row(i)[j] << flat;
          rays.row(r - 1)[j] -= rays.row(i)[j] * static_cast<int>(i + 1);
        }
        rays.row(i)[r - 1] = abs(m.row(i)[0]) + 1;
      }
      rays.row(r - 1)[r - 1] = 1;
      ExactSimplex whole{r, std::vector<Integer>(r * r), abs(determinant(rays))};
      for (std::size_t i = 0; i < r; ++i) {
        for (std::size_t j = 0; j < r; ++j) whole.at(i, j) = dot(rays.row(i), rays.row(j));
      }
      std::vector<ExactSimplex> open{whole};
      std::size_t n_acute = 0;
      while (!open.empty()) {
        const ExactSimplex piece = std::move(open.back());
        open.pop_back();
        const std::vector<ExactSimplex> parts = cut_at_centre(piece);
        n_acute += parts.empty() ? 1 : 0;
        open.insert(open.end(), parts.begin(), parts.end());
        if (!parts.empty()) continue;
        for (std::size_t i = 0; i < r; ++i) {
          for (std::size_t j = 0; j < i; ++j) {
            const Integer& g = piece.at(i, j);
            CHECK(g >= 0 || ((g * g) << 70) <= piece.at(i, i) * piece.at(j, j));
          }
        }
      }
      CHECK(n_acute >= 1 && n_acute <= factorial);
    }
  }
}

TEST(nearest_weights_are_the_nearest_point) {
  // An obtuse pair and a ray between them that is nearer: the middle of the pair is not used.
  ExactSimplex s{3, {100, -50, 60, -50, 100, 60, 60, 60, 120}, 1};
  const std::vector<Integer> mu = nearest_weights(s);
  CHECK(mu[0] == mu[1] && mu[0] > 0 && mu[2].is_zero());
  s.centres = 1;
  const std::vector<Integer> rest = nearest_weights(s);
  CHECK(rest[0].is_zero() && rest[1] > 0 && rest[2] > 0);
  std::vector<double> rough(3);
  const double square = nearest_weights(std::vector<double>{1, -0.5, 0.6, -0.5, 1, 0.6, 0.6, 0.6, 1.2}, {0, 1, 2}, rough);
  CHECK(std::abs(square - 0.25) < 1e-8 && std::abs(rough[0] - 0.5) < 1e-8);
}
