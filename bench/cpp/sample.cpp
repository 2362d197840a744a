// Sampling patterns: what each part takes, and what the fast kernel gains on the portable one.
#include <algorithm>
#include <numeric>
#include <thread>

#include "bench.hpp"
#include "topes/pattern_table.hpp"
#include "topes/sample.hpp"

using namespace topes;
using namespace topes::bench;

namespace {

std::vector<double> gaussian_doubles(std::size_t n, std::size_t d) {
  std::mt19937_64 random(n * 1000 + d);
  std::normal_distribution<double> normal;
  std::vector<double> x(n * d);
  for (double& v : x) v = normal(random);
  return x;
}

void row(std::size_t n, std::size_t d, std::uint64_t samples) {
  const std::vector<double> x = gaussian_doubles(n, d);
  const SampleRows rows = SampleRows::from_doubles(x, n, d);
  const Support everywhere = Support::everywhere(d);
  SampledPatterns found;
  const auto run = [&](unsigned threads, KernelKind kernel) {
    return seconds([&] { found = sample_patterns(rows, everywhere, {{1, 2}, 0, samples, kAll, threads, {}, kernel}); });
  };
  double one = INFINITY;
  double portable = INFINITY;
  double two = INFINITY;
  double drawing = INFINITY;
  std::vector<double> w(d);
  for (int k = 0; k < 3; ++k) {
    two = std::min(two, run(2, KernelKind::fastest));
    portable = std::min(portable, run(1, KernelKind::portable));
    one = std::min(one, run(1, KernelKind::fastest));
    drawing = std::min(drawing, seconds([&] {
      for (std::uint64_t s = 0; s < samples; ++s) draw_direction(everywhere, {1, 2}, s, 0, w.data());
    }));
  }
  const double each = 1e9 / static_cast<double>(samples);
  std::printf("%6zu %4zu %10llu %10zu %10.1f %10.1f %10.1f %10.1f %9.4f %6.2f %9llu %6llu\n", n, d,
              static_cast<unsigned long long>(samples), found.counts.size(), one * each, portable * each, drawing * each, two * each,
              one * each / static_cast<double>(n * d), one / two, static_cast<unsigned long long>(found.counters.double_signs),
              static_cast<unsigned long long>(found.counters.exact_signs));
  std::fflush(stdout);
}

}  // namespace

int main() {
  std::printf("%6s %4s %10s %10s %10s %10s %10s %10s %9s %6s %9s %6s\n", "n", "d", "samples", "patterns", "ns", "portable", "drawing",
              "2 threads", "ns a mul", "gain", "double", "exact");
  row(20, 3, 2000000);
  row(100, 3, 2000000);
  row(1000, 3, 500000);
  row(100, 4, 1000000);
  row(100, 5, 1000000);
  row(100, 10, 500000);
  row(1000, 10, 200000);
  row(1000, 784, 5000);
}
