// Sampled patterns against exact arithmetic, row by row; the same bytes for every number of threads and every kernel.
#include <map>

#include "check.hpp"
#include "topes/error.hpp"
#include "topes/sample.hpp"

using namespace topes;
using namespace topes::test;

namespace {

SampledPatterns draw(const SampleRows& rows, const Support& support, std::uint64_t count, unsigned threads = 1,
                     KernelKind kernel = KernelKind::fastest,                     std::uint64_t max_patterns = ~std::uint64_t{0}, std::uint64_t first = 0) {
  return sample_patterns(rows, support, {{3, 4}, first, count, max_patterns, threads, {}, kernel});
}

bool same(const SampledPatterns& a, const SampledPatterns& b) {
  return a.packed == b.packed && a.counts == b.counts && a.first == b.first;
}

// Pattern and number of occurrences of each, by exact integers alone.
std::map<std::vector<std::uint8_t>, std::int64_t> expected(const IntegerMatrix& x, const Support& support, std::uint64_t count) {
  std::map<std::vector<std::uint8_t>, std::int64_t> out;
  std::vector<double> w(support.size());
  for (std::uint64_t s = 0; s < count; ++s) {
    for (std::uint64_t attempt = 0;; ++attempt) {
      const std::size_t place = draw_direction(support, {3, 4}, s, attempt, w.data());
      std::vector<double> direction(x.cols, 0.0);
      for (std::size_t t = 0; t < support.offsets.size(); ++t) direction[support.offsets[t] + support.places[place]] = w[t];
      for (std::size_t t = support.offsets.size(); t < w.size(); ++t) direction[support.always[t - support.offsets.size()]] = w[t];
      const IntegerMatrix v = integers_from_doubles(direction, 1, x.cols);
      std::vector<std::uint8_t> packed(packed_bytes(x.rows), 0);
      bool again = false;
      for (std::size_t i = 0; i < x.rows; ++i) {
        const Sign sign = sign_of(dot(x.row(i), v.row(0)));
        bool meets = false;
        for (std::size_t j = 0; j < x.cols; ++j) meets = meets || (!x.row(i)[j].is_zero() && direction[j] != 0);
        again = again || (sign == Sign::zero && meets);
        if (sign != Sign::negative) packed[i / 8] = static_cast<std::uint8_t>(packed[i / 8] | (1U << (i % 8)));
      }
      if (again) continue;
      ++out[packed];
      break;
    }
  }
  return out;
}

std::map<std::vector<std::uint8_t>, std::int64_t> found(const SampledPatterns& s, std::size_t n) {
  std::map<std::vector<std::uint8_t>, std::int64_t> out;
  const auto bytes = static_cast<std::ptrdiff_t>(packed_bytes(n));
  for (std::size_t k = 0; k < s.counts.size(); ++k) {
    const auto at = s.packed.begin() + bytes * static_cast<std::ptrdiff_t>(k);
    out[{at, at + bytes}] = s.counts[k];
  }
  return out;
}

}  // namespace

TEST(philox_has_the_published_values) {
  CHECK((philox({0, 0, 0, 0}, {0, 0}) ==
         PhiloxBlock{0x16554d9eca36314cULL, 0xdb20fe9d672d0fdcULL, 0xd7e772cee186176bULL, 0x7e68b68aec7ba23bULL}));
  const std::uint64_t ones = ~std::uint64_t{0};
  CHECK((philox({ones, ones, ones, ones}, {ones, ones}) ==
         PhiloxBlock{0x87b092c3013fe90bULL, 0x438c3c67be8d0224ULL, 0x9cc7d7c69cd777b6ULL, 0xa09caebf594f0ba0ULL}));
}

TEST(logarithm_and_circle_are_right) {
  for (int k = 1; k < 20000; ++k) {
    const double v = (k + 0.5) / 20000;
    CHECK(std::abs(gaussian_detail::log(Pack{v, v})[0] / std::log(v) - 1) < 2e-15);
    Pack c;
    Pack s;
    gaussian_detail::cos_sin(Pack{v, 1 - v}, c, s);
    CHECK(std::abs(c[0] - std::cos(2 * M_PI * v)) < 1e-15 && std::abs(s[0] - std::sin(2 * M_PI * v)) < 1e-15);
    CHECK(std::abs(c[1] - c[0]) < 1e-15 && std::abs(s[1] + s[0]) < 1e-15);
  }
  // The ends of the range.
  const double least = gaussian_detail::uniform(gaussian_detail::Words{0, 0})[0];
  const double most = gaussian_detail::uniform(gaussian_detail::Words{~0ULL, ~0ULL})[0];
  CHECK(least == 0x1p-53 && most == 1 - 0x1p-53);
  CHECK(std::abs(gaussian_detail::log(Pack{least, most})[0] + 53 * std::log(2.0)) < 1e-13);
  CHECK(std::abs(gaussian_detail::log(Pack{least, most})[1] + 0x1p-53) < 1e-31);
}

TEST(gaussians_have_their_moments) {
  constexpr std::uint64_t kBlocks = 100000;
  double moments[5] = {};
  double product = 0;
  for (std::uint64_t b = 0; b < kBlocks; ++b) {
    double z[4];
    gaussians(philox({0, b, 0, 0}, {7, 7}), z);
    for (const double x : z) for (int p = 1; p <= 4; ++p) moments[p] += std::pow(x, p) / (4 * kBlocks);
    product += (z[0] * z[1] + z[1] * z[2] + z[0] * z[3]) / (3 * kBlocks);
  }
  // Six standard errors: 1, sqrt 2, sqrt 15, sqrt 96 over the root of 4e5.
  const double error = 6 / std::sqrt(4.0 * kBlocks);
  CHECK(std::abs(moments[1]) < error && std::abs(moments[2] - 1) < 1.5 * error);
  CHECK(std::abs(moments[3]) < 4 * error && std::abs(moments[4] - 3) < 10 * error);
  CHECK(std::abs(product) < 6 / std::sqrt(3.0 * kBlocks));
}

TEST(adversarial_rows_have_their_exact_signs) {
  std::mt19937_64 random(5);
  for (int trial = 0; trial < 150; ++trial) {
    const std::size_t n = random() % 40;
    const std::size_t d = 1 + random() % 5;
    const std::vector<double> x = adversarial(random, n, d);
    const IntegerMatrix exact = integers_from_doubles(x, n, d);
    const Support everywhere = Support::everywhere(d);
    const auto want = expected(exact, everywhere, 50);
    const SampledPatterns doubles = draw(SampleRows::from_doubles(x, n, d), everywhere, 50);
    CHECK(found(doubles, n) == want);
    CHECK(same(doubles, draw(SampleRows::from_doubles(x, n, d), everywhere, 50, 1, KernelKind::portable)));
    CHECK(same(doubles, draw(SampleRows::from_doubles(x, n, d), everywhere, 50, 1, KernelKind::avx2)));
    CHECK(same(doubles, draw(SampleRows::from_integers(exact), everywhere, 50)));
  }
}

TEST(integers_of_64_bits_are_exact) {
  const std::int64_t big = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::int64_t> x = {big, big - 1, -big, -(big - 1), big, big, -big - 1, 1, 0, 0, 3, 1};
  const SampleRows rows = SampleRows::from_int64(x, 6, 2);
  CHECK(found(draw(rows, Support::everywhere(2), 400), 6) == expected(integers_from_int64(x, 6, 2), Support::everywhere(2), 400));
}

TEST(a_direction_on_a_hyperplane_is_drawn_again) {
  // Rows orthogonal to the very first direction, and to it up to one unit in the last place.
  double w[2];
  draw_direction(Support::everywhere(2), {3, 4}, 0, 0, w);
  const std::vector<double> x = {w[1], -w[0], w[1], std::nextafter(-w[0], 9), w[1], std::nextafter(-w[0], -9), 0, 0};
  const SampleRows rows = SampleRows::from_doubles(x, 4, 2);
  const SampledPatterns s = draw(rows, Support::everywhere(2), 20);
  CHECK(s.counters.redrawn == 1);
  CHECK(s.counters.exact_signs >= 1);
  CHECK(found(s, 4) == expected(integers_from_doubles(x, 4, 2), Support::everywhere(2), 20));
}

TEST(directions_on_patches) {
  std::mt19937_64 random(9);
  for (int trial = 0; trial < 40; ++trial) {
    // Lines of 6 with patches of 2, and a last column that is always there or not; many zeros, as in images.
    const std::size_t n = 1 + random() % 40;
    std::vector<double> x = adversarial(random, n, 7);
    for (double& v : x) if (random() % 2) v = 0;
    const Support support{7, {0, 1}, {0, 1, 2, 3, 4}, trial % 2 ? std::vector<std::uint32_t>{6} : std::vector<std::uint32_t>{}};
    const SampledPatterns s = draw(SampleRows::from_doubles(x, n, 7), support, 300);
    CHECK(found(s, n) == expected(integers_from_doubles(x, n, 7), support, 300));
    CHECK(same(s, draw(SampleRows::from_doubles(x, n, 7), support, 300, 3, KernelKind::portable)));
    CHECK(same(s, draw(SampleRows::from_doubles(x, n, 7), support, 300, 2, KernelKind::avx2)));
  }
}

TEST(threads_and_kernels_give_the_same_bytes) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  for (const std::size_t d : {3U, 50U}) {
    const std::size_t n = 150;
    std::vector<double> x(n * d);
    for (double& v : x) v = normal(random);
    const SampleRows rows = SampleRows::from_doubles(x, n, d);
    const Support everywhere = Support::everywhere(d);
    const SampledPatterns one = draw(rows, everywhere, 20001);
    std::int64_t total = 0;
    for (const std::int64_t c : one.counts) total += c;
    CHECK(total == 20001);
    CHECK(std::is_sorted(one.first.begin(), one.first.end()));
    for (const unsigned threads : {2U, 7U}) {
      const SampledPatterns more = draw(rows, everywhere, 20001, threads);
      CHECK(same(one, more));
      CHECK(one.counters.double_signs == more.counters.double_signs);
    }
    for (const KernelKind kernel : {KernelKind::avx2, KernelKind::portable}) CHECK(same(one, draw(rows, everywhere, 20001, 2, kernel)));
    // A later stretch of the same stream.
    const SampledPatterns tail = draw(rows, everywhere, 1, 1, KernelKind::fastest, ~std::uint64_t{0}, 20000);
    CHECK(tail.first[0] == 20000);
  }
}

TEST(limits_errors_and_hooks) {
  std::mt19937_64 random(2);
  const std::vector<double> x = adversarial(random, 30, 3);
  const SampleRows rows = SampleRows::from_doubles(x, 30, 3);
  const Support everywhere = Support::everywhere(3);
  const std::size_t p = draw(rows, everywhere, 5000).counts.size();
  for (const unsigned threads : {1U, 7U}) {
    CHECK(draw(rows, everywhere, 5000, threads, KernelKind::fastest, p).counts.size() == p);
    CHECK_THROWS(draw(rows, everywhere, 5000, threads, KernelKind::fastest, p - 1), CellLimit);
  }
  CHECK(draw(rows, everywhere, 0).counts.empty());
  CHECK_THROWS(draw(rows, Support::everywhere(2), 1), InvalidArgument);
  CHECK_THROWS(draw(rows, Support{3, {0, 1}, {2}, {}}, 1), InvalidArgument);
  CHECK_THROWS(draw(rows, Support{3, {0}, {}, {}}, 1), InvalidArgument);
  CHECK_THROWS(draw(rows, everywhere, 2, 1, KernelKind::fastest, 9, std::numeric_limits<std::int64_t>::max() - 1), InvalidArgument);
  const std::vector<double> infinite = {1, INFINITY};
  CHECK_THROWS(SampleRows::from_doubles(infinite, 1, 2), InvalidArgument);
  CHECK(draw(SampleRows::from_doubles({}, 0, 3), everywhere, 7).counts == std::vector<std::int64_t>{7});
  CHECK(draw(SampleRows::from_doubles({}, 5, 0), Support::everywhere(0), 7).packed == std::vector<std::uint8_t>{0x1F});
  struct Stop {};
  bool stopped = false;
  try {
    sample_patterns(rows, everywhere, {{1, 1}, 0, std::uint64_t{1} << 60U, ~std::uint64_t{0}, 2, [](double, std::uint64_t) { throw Stop(); }});
  } catch (const Stop&) {
    stopped = true;
  }
  CHECK(stopped);
}
