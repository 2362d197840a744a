// Least squares under signs in a few dimensions: what projects onto a simplicial cone.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace topes {

/// x >= 0 that makes x'G x / 2 - t'x small, by the active set method of [LawsonHanson74]. The caller judges the answer; it is
/// never trusted to be optimal. \pre G is symmetric, positive semidefinite up to rounding
template <int R>
std::array<double, R> nonnegative_least_squares(const std::array<std::array<double, R>, R>& G, const std::array<double, R>& t) {
  if constexpr (R == 1) return {G[0][0] > 0 ? std::max(0.0, t[0] / G[0][0]) : 0.0};
  constexpr std::size_t n = R;
  std::array<double, R> x{};
  std::array<double, R> trial{};
  std::array<bool, R> in{};
  const auto solve = [&](const std::array<double, R>& right) {  // G x = right on the coordinates that are in, by Cholesky
    std::array<std::size_t, R> index{};
    std::size_t m = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (in[i]) index[m++] = i;
    }
    std::array<std::array<double, R>, R> L;
    std::array<double, R> z{};
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        double sum = G[index[i]][index[j]];
        for (std::size_t k = 0; k < j; ++k) sum -= L[i][k] * L[j][k];
        if (i == j) {
          if (!(sum > 1e-15 * G[index[i]][index[i]])) return false;
          L[i][i] = std::sqrt(sum);
        } else {
          L[i][j] = sum / L[j][j];
        }
      }
      z[i] = right[index[i]];
      for (std::size_t k = 0; k < i; ++k) z[i] -= L[i][k] * z[k];
      z[i] /= L[i][i];
    }
    trial.fill(0.0);
    for (std::size_t i = m; i-- > 0;) {
      for (std::size_t k = i + 1; k < m; ++k) z[i] -= L[k][i] * z[k];
      z[i] /= L[i][i];
      trial[index[i]] = z[i];
    }
    return true;
  };
  for (int round = 0; round < 3 * R; ++round) {
    std::size_t enter = n;
    double most = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (in[i] || !(G[i][i] > 0)) continue;
      double slope = t[i];
      for (std::size_t j = 0; j < n; ++j) slope -= G[i][j] * x[j];
      slope /= std::sqrt(G[i][i]);
      if (slope > most) {
        most = slope;
        enter = i;
      }
    }
    if (enter == n || most <= 1e-14 * std::abs(t[enter]) / std::sqrt(G[enter][enter])) break;
    in[enter] = true;
    for (;;) {
      if (!solve(t)) {  // the new coordinate depends on the others: it takes the place of the first that comes to zero for it
        in[enter] = false;
        if (x[enter] > 0 || !solve(G[enter])) return x;
        double step = 0;
        std::size_t leave = n;
        for (std::size_t i = 0; i < n; ++i) {
          if (!in[i] || !(trial[i] > 0)) continue;
          if (leave == n || x[i] / trial[i] < step) {
            step = x[i] / trial[i];
            leave = i;
          }
        }
        if (leave == n) return x;
        for (std::size_t i = 0; i < n; ++i) x[i] = in[i] ? std::max(0.0, x[i] - step * trial[i]) : 0.0;
        x[leave] = 0.0;
        x[enter] = step;
        in[leave] = false;
        in[enter] = true;
        if (!solve(t)) return x;
      }
      double step = 1.0;
      std::size_t leave = n;
      for (std::size_t i = 0; i < n; ++i) {
        if (!in[i] || trial[i] > 0) continue;
        const double ratio = x[i] / (x[i] - trial[i]);
        if (leave == n || ratio < step) {
          step = ratio;
          leave = i;
        }
      }
      if (leave == n) {
        x = trial;
        break;
      }
      for (std::size_t i = 0; i < n; ++i) x[i] = in[i] ? std::max(0.0, x[i] + step * (trial[i] - x[i])) : 0.0;
      x[leave] = 0.0;
      in[leave] = false;
    }
  }
  return x;
}

}  // namespace topes
