// What the benchmarks share: inputs, a clock, memory, a line fit.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "topes/arrangement.hpp"
#include "topes/count.hpp"

namespace topes::bench {

constexpr std::uint64_t kAll = ~std::uint64_t{0};

inline IntegerMatrix gaussian(std::size_t n, std::size_t d) {
  std::mt19937_64 random(n * 1000 + d);
  std::normal_distribution<double> normal;
  std::vector<double> x(n * d);
  for (double& v : x) v = normal(random);
  return integers_from_doubles(x, n, d);
}

/// All vectors of {0,1}^m with a bias coordinate: the cells are the threshold functions of m inputs.
inline IntegerMatrix threshold(int m) {
  std::vector<std::int64_t> x;
  for (int i = 0; i < (1 << m); ++i) {
    for (int j = 0; j < m; ++j) x.push_back((i >> j) & 1);
    x.push_back(1);
  }
  return integers_from_int64(x, std::size_t{1} << m, static_cast<std::size_t>(m) + 1);
}

/// All non-zero vectors of {0,1}^m.
inline IntegerMatrix resonance(int m) {
  std::vector<std::int64_t> x;
  for (int i = 1; i < (1 << m); ++i) {
    for (int j = 0; j < m; ++j) x.push_back((i >> j) & 1);
  }
  return integers_from_int64(x, (std::size_t{1} << m) - 1, static_cast<std::size_t>(m));
}

template <class F>
double seconds(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The least of `repeats` runs: what the work takes when the machine does nothing else.
template <class F>
double least_seconds(int repeats, F&& f) {
  double best = INFINITY;
  for (int k = 0; k < repeats; ++k) best = std::min(best, seconds(f));
  return best;
}

inline double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Slope of the least squares line through (log x, log y).
inline double exponent(const std::vector<double>& x, const std::vector<double>& y) {
  double mx = 0;
  double my = 0;
  for (std::size_t i = 0; i < x.size(); ++i) mx += std::log(x[i]) / double(x.size()), my += std::log(y[i]) / double(x.size());
  double xy = 0;
  double xx = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (std::log(x[i]) - mx) * (std::log(y[i]) - my);
    xx += (std::log(x[i]) - mx) * (std::log(x[i]) - mx);
  }
  return xy / xx;
}

}  // namespace topes::bench
