// Writing packed patterns (one of each antipodal pair is held) against copying the same bytes.
#include <algorithm>
#include <cstring>
#include <thread>

#include "bench.hpp"
#include "topes/cells.hpp"
#include "topes/held.hpp"

using namespace topes;
using namespace topes::bench;

namespace {

void row(const char* name, const IntegerMatrix& x, unsigned threads) {
  const auto a = std::make_shared<const Arrangement>(x);
  std::uint64_t cells = 0;
  std::size_t bytes = 0;
  double counting = INFINITY;
  double holding = INFINITY;
  double streaming = INFINITY;
  double copying = INFINITY;
  for (int k = 0; k < 3; ++k) {
    counting = std::min(counting, seconds([&] { cells = count_cells(*a, kAll, {threads, {}}).n_cells; }));
    holding = std::min(holding, seconds([&] {
      const HeldCells held = hold_cells(*a, kAll, {threads, {}});
      bytes = held.rows.size() * held.rows.stride();
    }));
    streaming = std::min(streaming, seconds([&] {
      CellStream stream(a, StreamOptions{65536, false, threads, kAll});
      while (stream.next({}).n_cells > 0) {
      }
    }));
    const std::vector<std::uint8_t> source(bytes, 1);
    std::vector<std::uint8_t> target(bytes, 2);
    copying = std::min(copying, seconds([&] { std::memcpy(target.data(), source.data(), bytes); }));
    if (target[bytes / 2] != 1) std::abort();
  }
  std::printf("%-12s %6zu %3zu %12llu %8u %9.1f %9.4f %9.4f %9.4f %9.4f %8.1f %8.1f\n", name, x.rows, a->rank(),
              static_cast<unsigned long long>(cells), threads, 1e-6 * static_cast<double>(bytes), counting, holding, streaming, copying,
              holding / copying, (holding - counting) / copying);
  std::fflush(stdout);
}

}  // namespace

int main() {
  std::printf("%-12s %6s %3s %12s %8s %9s %9s %9s %9s %9s %8s %8s\n", "input", "n", "r", "cells", "threads", "MB", "count s", "hold s",
              "stream s", "memcpy s", "ratio", "extra");
  for (const unsigned threads : {1U, std::max(1U, std::thread::hardware_concurrency())}) {
    row("gaussian", gaussian(1000, 3), threads);
    row("gaussian", gaussian(2393, 3), threads);
    row("gaussian", gaussian(200, 4), threads);
    row("threshold", threshold(6), threads);
  }
  std::printf("\nratio: hold / memcpy; extra: (hold - count) / memcpy, what writing adds to finding\n");
}
