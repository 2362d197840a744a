// Solid angles of all cells against counting the cells and against streaming their geometry, on one thread.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "bench.hpp"
#include "topes/cells.hpp"
#include "topes/solid_angle.hpp"

using namespace topes;
using namespace topes::bench;

namespace {

// Processor time of the process: what else the machine does hardly counts.
template <class F>
double processor_seconds(F&& f) {
  const std::clock_t start = std::clock();
  f();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

void row(const char* name, const IntegerMatrix& x, int repeats) {
  const auto a = std::make_shared<const Arrangement>(x);
  AngleOptions options;
  options.walk.n_threads = 1;
  std::uint64_t cells = 0;
  AngleSummary summary;
  double counting = INFINITY;
  double streaming = INFINITY;
  double listing = INFINITY;
  double summing = INFINITY;
  for (int k = 0; k < repeats; ++k) {
    counting = std::min(counting, processor_seconds([&] { cells = count_cells(*a, kAll, {1, {}}).n_cells; }));
    streaming = std::min(streaming, processor_seconds([&] {
      CellStream stream(a, StreamOptions{65536, true, 1, kAll});
      while (stream.next({}).n_cells > 0) {
      }
    }));
    listing = std::min(listing, processor_seconds([&] {
      if (solid_angles(*a, options).angles.size() != cells) std::abort();
    }));
    summing = std::min(summing, processor_seconds([&] { summary = summarise_angles(*a, options); }));
  }
  const double ns = 1e9 / static_cast<double>(cells);
  std::printf("%-10s %6zu %2d %11llu %8.0f %8.0f %8.0f %8.0f %6.1f %6.2f %9.1e %9.1e %9.1e %9llu\n", name, x.rows, a->rank(),
              static_cast<unsigned long long>(cells), ns * counting, ns * streaming, ns * listing, ns * summing, listing / counting,
              listing / streaming, std::abs(summary.sum - 1), summary.error, summary.least.angle,
              static_cast<unsigned long long>(summary.counters.exact_cones));
  std::fflush(stdout);
}

// Columns of rank r in more dimensions: every second column repeats the sum of the others.
IntegerMatrix deficient(std::size_t n, std::size_t r) {
  const IntegerMatrix x = gaussian(n, r);
  IntegerMatrix out(n, r + 2);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < r; ++j) {
      out.row(i)[j] = x.row(i)[j];
      out.row(i)[r] += x.row(i)[j];
    }
    out.row(i)[r + 1] = x.row(i)[0] - x.row(i)[1];
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 3;
  std::printf("%-10s %6s %2s %11s %8s %8s %8s %8s %6s %6s %9s %9s %9s %9s\n", "input", "n", "r", "cells", "count ns", "stream", "list",
              "summary", "/count", "/strm", "|sum-1|", "error", "least", "exact");
  row("gaussian", gaussian(100000, 2), repeats);
  row("gaussian", gaussian(300, 3), repeats);
  row("gaussian", gaussian(1000, 3), repeats);
  row("gaussian", gaussian(2393, 3), repeats);
  row("gaussian", gaussian(30, 4), repeats);
  row("gaussian", gaussian(100, 4), repeats);
  row("gaussian", gaussian(200, 4), repeats);
  row("gaussian", gaussian(20, 5), repeats);
  row("gaussian", gaussian(50, 5), repeats);
  row("gaussian", gaussian(80, 5), repeats);
  row("gaussian", gaussian(20, 6), repeats);
  row("deficient", deficient(500, 3), repeats);
  row("deficient", deficient(60, 4), repeats);
  row("resonance", resonance(5), repeats);
  std::printf("\ncount, stream (patterns, witnesses, facets, rays), list (angles and errors in memory), summary: nanoseconds of processor time a\n"
              "cell; /count, /strm: list over them. |sum-1| against the stated error; exact: cones that needed exact rays, one of each\n"
              "antipodal pair\n");
}
