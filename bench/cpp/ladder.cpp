// Counting on one thread: a ladder over (n, r), then the degenerate inputs that make a filter work.
#include <algorithm>

#include "bench.hpp"

using namespace topes;
using namespace topes::bench;

namespace {

struct Run {
  double cells;
  double seconds;
};

Run row(const char* name, const IntegerMatrix& x, int repeats) {
  const Arrangement a(x);
  CountResult result;
  const double time = least_seconds(repeats, [&] { result = count_cells(a, kAll, {1, {}}); });
  const auto cells = static_cast<double>(result.n_cells);
  std::printf("%-12s %6zu %3zu %12llu %9.4f %9.1f %8.2f %14llu %10llu %10llu %8.1f\n", name, x.rows, a.rank(),
              static_cast<unsigned long long>(result.n_cells), time, 1e9 * time / cells, 1e-6 * cells / time,
              static_cast<unsigned long long>(result.counters.signs), static_cast<unsigned long long>(result.counters.exact_signs),
              static_cast<unsigned long long>(result.counters.exact_rays), peak_mebibytes());
  std::fflush(stdout);
  return {cells, time};
}

}  // namespace

int main() {
  std::printf("%-12s %6s %3s %12s %9s %9s %8s %14s %10s %10s %8s\n", "input", "n", "r", "cells", "seconds", "ns/cell", "Mcells/s",
              "signs", "exact", "ex. rays", "peak MiB");
  const std::vector<std::pair<std::size_t, std::vector<std::size_t>>> ladder = {
      {3, {300, 600, 1200, 2393, 4800}}, {4, {50, 100, 200, 300}}, {5, {60, 90, 130}},
      {6, {20, 28, 40}},             {7, {16, 20, 26}},                 {8, {14, 17, 20}}, {2, {100000, 300000, 1000000}}};
  struct Slopes {
    std::size_t r;
    double time;
    double cells;
  };
  std::vector<Slopes> slopes;
  for (const auto& [r, sizes] : ladder) {
    std::vector<double> n;
    std::vector<double> time;
    std::vector<double> cells;
    for (const std::size_t size : sizes) {
      const Run run = row("gaussian", gaussian(size, r), 3);
      n.push_back(static_cast<double>(size));
      time.push_back(run.seconds);
      cells.push_back(run.cells);
    }
    slopes.push_back({r, exponent(n, time), exponent(n, cells)});
  }
  for (const int m : {4, 5, 6}) row("threshold", threshold(m), m < 6 ? 3 : 2);
  for (const int m : {5, 6}) row("resonance", resonance(m), m < 6 ? 3 : 2);
  std::printf("\nfitted exponent in n at fixed rank; the number of cells itself has r - 1 only in the limit\n");
  for (const auto& [r, time, cells] : slopes) {
    std::printf("r = %zu: time %.2f, cells %.2f; aim at most %.1f: %s\n", r, time, cells, double(r) - 0.9,
                time <= double(r) - 0.9 ? "met" : "missed");
  }
}
