// Speed-up of counting on 2, 4, ... threads, each beside a run on one in the same minute.
#include <algorithm>
#include <thread>

#include "bench.hpp"

using namespace topes;
using namespace topes::bench;

int main() {
  const unsigned most = std::max(2U, std::thread::hardware_concurrency());
  std::printf("%-12s %6s %3s %12s %8s %9s %9s\n", "input", "n", "r", "cells", "threads", "seconds", "speed-up");
  const auto row = [&](const char* name, const IntegerMatrix& x) {
    const Arrangement a(x);
    std::uint64_t cells = 0;
    const auto time = [&](unsigned threads) { return seconds([&] { cells = count_cells(a, kAll, {threads, {}}).n_cells; }); };
    for (unsigned threads = 2; threads <= most; threads *= 2) {
      double one = INFINITY;
      double many = INFINITY;
      for (int k = 0; k < 5; ++k) {  // alternating, so that what else the machine does falls on both
        one = std::min(one, time(1));
        many = std::min(many, time(threads));
      }
      std::printf("%-12s %6zu %3zu %12llu %8u %9.4f %9.2f\n", name, x.rows, a.rank(), static_cast<unsigned long long>(cells), threads,
                  many, one / many);
      std::fflush(stdout);
    }
  };
  row("gaussian", gaussian(2393, 3));
  row("gaussian", gaussian(200, 4));
  row("gaussian", gaussian(50, 5));
  row("threshold", threshold(6));
}
