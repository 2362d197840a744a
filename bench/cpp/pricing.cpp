// Pricing white-noise weights over the cells of Gaussian data: the whole sphere, to a relative width of 1e-6, on one thread.
#include "bench.hpp"
#include "topes/pricing.hpp"

using namespace topes;
using namespace topes::bench;

namespace {

void row(std::size_t n, std::size_t r, std::size_t outputs, double tolerance) {
  std::mt19937_64 random(n + r);
  std::normal_distribution<double> normal;
  PricingSpace space;
  space.dimension = r;
  space.scale.assign(r, 1.0);
  space.normals.resize(n * r);
  for (double& x : space.normals) x = normal(random);
  std::vector<double> bend(n * outputs);
  for (double& x : bend) x = normal(random);
  const std::vector<double> linear(r * outputs, 0.0);
  PricingOptions options;
  options.tolerance = tolerance;
  options.n_threads = 1;
  PricingResult result;
  const double time = least_seconds(5, [&] { result = price(space, {outputs, bend, linear}, {}, options); });
  std::printf("%7zu %3zu %3zu %9.0e %10.4f %10llu %14.8g %10.2e\n", n, r, outputs, tolerance, time,
              static_cast<unsigned long long>(result.nodes), result.best, result.upper / result.best - 1);
  std::fflush(stdout);
}

}  // namespace

int main() {
  std::printf("%7s %3s %3s %9s %10s %10s %14s %10s\n", "n", "r", "C", "tolerance", "seconds", "nodes", "price", "width");
  for (const std::size_t n : {100, 1000, 10000}) row(n, 2, 1, 1e-6);
  for (const std::size_t n : {100, 1000, 10000}) row(n, 3, 1, 1e-6);
  row(10000, 3, 1, 1e-9);
  for (const std::size_t n : {100, 1000}) row(n, 4, 1, 1e-6);
  row(100, 5, 1, 1e-6);
  for (const std::size_t n : {100, 1000}) row(n, 3, 3, 1e-6);
}
