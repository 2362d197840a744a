#include "topes/dense.hpp"

#include <algorithm>
#include <cmath>

namespace topes {

namespace {

// A column is a combination of others where this share of it is left after they are taken out.
constexpr double kDependent = 1e-12;
// Slopes of an objective that are zero up to rounding, as a share of what they are made of.
constexpr double kZero = 1e-13;

double dot(const double* x, const double* y, std::size_t n) {
  double part[4] = {};
  std::size_t k = 0;
  for (; k + 4 <= n; k += 4) {
    for (std::size_t i = 0; i < 4; ++i) part[i] += x[k + i] * y[k + i];
  }
  for (; k < n; ++k) part[0] += x[k] * y[k];
  return (part[0] + part[1]) + (part[2] + part[3]);
}

}  // namespace

bool cholesky(SymmetricMatrix& A) {
  const std::size_t n = A.size;
  for (std::size_t i = 0; i < n; ++i) {
    double* const row = A.entries.data() + i * n;
    for (std::size_t j = 0; j < i; ++j) {
      const double* const other = A.entries.data() + j * n;
      row[j] = (row[j] - dot(row, other, j)) / other[j];
    }
    const double rest = row[i] - dot(row, row, i);
    if (!(rest > 0) || !std::isfinite(rest)) return false;
    row[i] = std::sqrt(rest);
  }
  return true;
}

void cholesky_solve(const SymmetricMatrix& L, std::span<double> b) {
  const std::size_t n = L.size;
  for (std::size_t i = 0; i < n; ++i) b[i] = (b[i] - dot(L.entries.data() + i * n, b.data(), i)) / L.at(i, i);
  for (std::size_t i = n; i-- > 0;) {
    b[i] /= L.at(i, i);
    for (std::size_t j = 0; j < i; ++j) b[j] -= L.at(i, j) * b[i];
  }
}

bool least_lengths(const SymmetricMatrix& G, std::span<const double> b, std::size_t n_free, std::vector<double>& x) {
  const std::size_t n = G.size;
  const std::size_t bounded = n - n_free;
  const auto entry = [&](std::size_t i, std::size_t j) { return i >= j ? G.at(i, j) : G.at(j, i); };
  std::vector<std::size_t> in;
  for (std::size_t i = 0; i < n; ++i) {
    if (i >= bounded || x[i] > 0) in.push_back(i);
  }
  const auto solve = [&](std::vector<double>& z) {
    SymmetricMatrix A(in.size());
    z.resize(in.size());
    for (std::size_t p = 0; p < in.size(); ++p) {
      for (std::size_t q = 0; q <= p; ++q) A.at(p, q) = entry(in[p], in[q]);
      z[p] = b[in[p]];
    }
    if (!cholesky(A)) return false;
    cholesky_solve(A, z);
    return true;
  };
  std::vector<double> z;
  for (std::size_t round = 0; round <= 3 * n; ++round) {
    for (;;) {  // to the minimum over what is in, one less whenever an end is met on the way
      if (!solve(z)) return false;
      double step = 1;
      std::size_t leave = in.size();
      for (std::size_t p = 0; p < in.size(); ++p) {
        if (in[p] >= bounded || z[p] > 0) continue;
        const double ratio = x[in[p]] / (x[in[p]] - z[p]);
        if (leave == in.size() || ratio < step) {
          step = ratio;
          leave = p;
        }
      }
      if (leave == in.size()) break;
      for (std::size_t p = 0; p < in.size(); ++p) {
        const double to = x[in[p]] + step * (z[p] - x[in[p]]);
        x[in[p]] = in[p] < bounded ? std::max(0.0, to) : to;
      }
      x[in[leave]] = 0;
      in.erase(in.begin() + static_cast<std::ptrdiff_t>(leave));
    }
    for (std::size_t p = 0; p < in.size(); ++p) x[in[p]] = z[p];
    std::size_t enter = n;
    double most = 0;
    for (std::size_t i = 0; i < bounded; ++i) {
      if (std::find(in.begin(), in.end(), i) != in.end() || !(G.at(i, i) > 0)) continue;
      double slope = b[i];
      double size = std::abs(b[i]);
      for (const std::size_t j : in) {
        slope -= entry(i, j) * x[j];
        size += std::abs(entry(i, j) * x[j]);
      }
      if (slope <= 1e3 * kZero * size) continue;
      slope /= std::sqrt(G.at(i, i));
      if (slope > most) {
        most = slope;
        enter = i;
      }
    }
    if (enter == n) return true;
    in.insert(std::upper_bound(in.begin(), in.end(), enter), enter);
  }
  return false;
}

std::vector<double> least_squares(std::span<const double> B, std::span<const double> c) {
  const std::size_t r = c.size();
  const std::size_t q = r == 0 ? 0 : B.size() / r;
  std::vector<double> Q;           // orthonormal columns
  std::vector<std::size_t> which;  // of B
  std::vector<double> R;           // column by column, r rows kept
  std::vector<double> column(r);
  for (std::size_t j = 0; j < q; ++j) {
    std::copy_n(B.begin() + static_cast<std::ptrdiff_t>(j * r), r, column.begin());
    const double size = std::sqrt(dot(column.data(), column.data(), r));
    std::vector<double> along(r, 0.0);
    for (int twice = 0; twice < 2; ++twice) {
      for (std::size_t p = 0; p < which.size(); ++p) {
        const double part = dot(Q.data() + p * r, column.data(), r);
        along[p] += part;
        for (std::size_t a = 0; a < r; ++a) column[a] -= part * Q[p * r + a];
      }
    }
    const double rest = std::sqrt(dot(column.data(), column.data(), r));
    if (!(rest > kDependent * size) || which.size() == r) continue;
    along[which.size()] = rest;
    for (double& x : column) x /= rest;
    Q.insert(Q.end(), column.begin(), column.end());
    R.insert(R.end(), along.begin(), along.end());
    which.push_back(j);
  }
  std::vector<double> x(q, 0.0);
  for (std::size_t p = which.size(); p-- > 0;) {
    double sum = dot(Q.data() + p * r, c.data(), r);
    for (std::size_t k = p + 1; k < which.size(); ++k) sum -= R[k * r + p] * x[which[k]];
    x[which[p]] = sum / R[p * r + p];
  }
  return x;
}

BoundedSlopes bounded_slopes(std::span<const double> B, std::span<const double> c) {
  const std::size_t r = c.size();
  const std::size_t q = r == 0 ? 0 : B.size() / r;
  BoundedSlopes out{std::vector<double>(q, 0.0), 0};
  std::vector<bool> free(q, false);
  std::vector<double> rest(r);
  const auto column = [&](std::size_t j) { return B.data() + j * r; };
  const auto take_rest = [&] {
    std::copy(c.begin(), c.end(), rest.begin());
    for (std::size_t j = 0; j < q; ++j) {
      for (std::size_t a = 0; a < r; ++a) rest[a] -= out.s[j] * column(j)[a];
    }
  };
  const double size_of_c = std::sqrt(dot(c.data(), c.data(), r));
  for (std::size_t round = 0; round < 10 * (q + 10); ++round) {
    take_rest();
    std::size_t enter = q;
    double most = 0;
    for (std::size_t j = 0; j < q; ++j) {
      if (free[j]) continue;
      const double size = std::sqrt(dot(column(j), column(j), r));
      if (!(size > 0)) continue;
      double slope = dot(column(j), rest.data(), r) / size;
      if (out.s[j] > 0.5) slope = -slope;
      if (slope > most) {
        most = slope;
        enter = j;
      }
    }
    if (enter == q || most <= kZero * (size_of_c + std::sqrt(dot(rest.data(), rest.data(), r)))) break;
    free[enter] = true;
    for (std::size_t inner = 0; inner <= q; ++inner) {
      std::vector<std::size_t> in;
      std::vector<double> columns;
      std::vector<double> target(c.begin(), c.end());
      for (std::size_t j = 0; j < q; ++j) {
        if (free[j]) {
          in.push_back(j);
          columns.insert(columns.end(), column(j), column(j) + r);
        } else {
          for (std::size_t a = 0; a < r; ++a) target[a] -= out.s[j] * column(j)[a];
        }
      }
      const std::vector<double> z = least_squares(columns, target);
      double step = 1;
      std::size_t leave = in.size();
      for (std::size_t p = 0; p < in.size(); ++p) {
        if (z[p] >= 0 && z[p] <= 1) continue;
        const double from = out.s[in[p]];
        const double ratio = ((z[p] < 0 ? 0.0 : 1.0) - from) / (z[p] - from);
        if (leave == in.size() || ratio < step) {
          step = ratio;
          leave = p;
        }
      }
      for (std::size_t p = 0; p < in.size(); ++p) {
        double& s = out.s[in[p]];
        s = std::clamp(s + step * (z[p] - s), 0.0, 1.0);
      }
      if (leave == in.size()) break;
      out.s[in[leave]] = z[leave] < 0 ? 0.0 : 1.0;
      free[in[leave]] = false;
    }
  }
  take_rest();
  out.residual = std::sqrt(dot(rest.data(), rest.data(), r));
  return out;
}

}  // namespace topes
