// A small test driver: TEST(name) { CHECK(...); } and one main for each file.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "topes/arrangement.hpp"

namespace topes::test {

struct Test {
  const char* name;
  std::function<void()> body;
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
inline int& failures() {
  static int count = 0;
  return count;
}
struct Register {
  Register(const char* name, std::function<void()> body) { tests().push_back({name, std::move(body)}); }
};
inline void check(bool ok, const char* text, const char* file, int line) {
  if (ok) return;
  ++failures();
  std::printf("%s:%d: failed: %s\n", file, line, text);
}
inline int run_all() {
  for (const Test& t : tests()) {
    const int before = failures();
    try {
      t.body();
    } catch (const std::exception& e) {
      ++failures();
      std::printf("%s: threw %s\n", t.name, e.what());
    }
    std::printf("%s %s\n", failures() == before ? "ok  " : "FAIL", t.name);
  }
  return failures() == 0 ? 0 : 1;
}

#define CHECK(condition) ::topes::test::check((condition), #condition, __FILE__, __LINE__)
#define CHECK_THROWS(expression, Type)         \
  do {                                         \
    bool thrown = false;                       \
    try {                                      \
      (void)(expression);                      \
    } catch (const Type&) {                    \
      thrown = true;                           \
    }                                          \
    CHECK(thrown && #expression " throws " #Type); \
  } while (false)
#define TEST(name)                                                  \
  static void test_##name();                                        \
  static const ::topes::test::Register register_##name(#name, &test_##name); \
  static void test_##name()

inline IntegerMatrix integers(const std::vector<std::vector<std::int64_t>>& rows) {
  std::vector<std::int64_t> flat;
  for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
  return integers_from_int64(flat, rows.size(), rows.empty() ? 0 : rows[0].size());
}

inline IntegerMatrix gaussian(std::size_t n, std::size_t d, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> x(n * d);
  for (double& v : x) v = normal(random);
  return integers_from_doubles(x, n, d);
}

inline std::vector<std::vector<std::int64_t>> threshold_rows(int m) {
  std::vector<std::vector<std::int64_t>> rows;
  for (int i = 0; i < (1 << m); ++i) {
    rows.emplace_back();
    for (int j = 0; j < m; ++j) rows.back().push_back((i >> j) & 1);
    rows.back().push_back(1);
  }
  return rows;
}

/// Small matrices that have broken such programs: lattices, repeats, near-ties one ulp apart, wild scales.
inline std::vector<double> adversarial(std::mt19937_64& random, std::size_t n, std::size_t d) {
  const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<std::uint64_t>(below)); };
  std::vector<double> x(n * d);
  const int kind = pick(6);
  std::normal_distribution<double> normal;
  for (double& v : x) v = kind == 0 ? normal(random) : pick(5) - 2;
  for (std::size_t i = 0; i < n; ++i) {
    double* row = x.data() + i * d;
    if (kind == 2) for (std::size_t j = 0; j < d; ++j) row[j] *= 0.1;
    if (kind == 3) for (std::size_t j = 0; j < d; ++j) row[j] = std::ldexp(row[j], pick(2) ? -1040 : 900);
    if (kind >= 4 && i > 0) {
      const double factor = pick(7) - 3;
      const double* other = x.data() + static_cast<std::size_t>(pick(static_cast<int>(i))) * d;
      for (std::size_t j = 0; j < d; ++j) row[j] = factor * other[j];
      const auto j = static_cast<std::size_t>(pick(static_cast<int>(d)));
      if (pick(2)) row[j] = std::nextafter(row[j], 9e99);
    }
  }
  return x;
}

}  // namespace topes::test
