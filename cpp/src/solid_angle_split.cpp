#include "topes/solid_angle_split.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "topes/solid_angle_metric.hpp"

namespace topes {

namespace {

// x of length set.size() with G_set x = det(G_set) * ones, by elimination without fractions [Bareiss68]; the determinant
// stands behind it. Leading minors of a positive definite matrix are positive, so each pivot is.
std::vector<Integer> solve_ones(const ExactSimplex& s, const std::vector<std::size_t>& set) {
  const std::size_t n = set.size();
  IntegerMatrix m(n, n + 1);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) m.row(i)[j] = s.at(set[i], set[j]);
    m.row(i)[n] = 1;
  }
  Integer previous = 1;
  for (std::size_t k = 0; k < n; ++k) {
    const Integer pivot = m.row(k)[k];
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const Integer left = m.row(i)[k];
      for (std::size_t j = i < k ? i : k; j <= n; ++j) {
        if (i < k && j > i && j < k) continue;  // zero, and stays so
        m.row(i)[j] = (m.row(i)[j] * pivot - left * m.row(k)[j]) / previous;
      }
    }
    previous = pivot;
  }
  std::vector<Integer> x(n + 1);
  for (std::size_t i = 0; i < n; ++i) x[i] = m.row(i)[n];
  x[n] = previous;
  return x;
}

std::int64_t length_exponent(const Integer& square) { return root(to_scaled(square)).exponent; }

// Powers of two on the rays, so that their lengths are alike: what is nearest to the origin then is of use.
void level(ExactSimplex& s) {
  std::vector<std::int64_t> lift(s.r);
  std::int64_t longest = length_exponent(s.at(0, 0));
  for (std::size_t i = 0; i < s.r; ++i) {
    lift[i] = length_exponent(s.at(i, i));
    longest = std::max(longest, lift[i]);
  }
  for (std::int64_t& e : lift) e = longest - e;
  for (std::size_t i = 0; i < s.r; ++i) {
    s.volume <<= static_cast<unsigned>(lift[i]);
    for (std::size_t j = 0; j < s.r; ++j) s.at(i, j) <<= static_cast<unsigned>(lift[i] + lift[j]);
  }
}

}  // namespace

// The linear complementarity problem w = G mu - 1, mu, w >= 0, mu'w = 0 by principal pivots of least index, which end for
// every positive definite matrix [Murty74].
std::vector<Integer> nearest_weights(const ExactSimplex& s) {
  std::uint64_t in = 0;
  for (std::size_t i = 0; i < s.r; ++i) {
    if (((s.centres >> i) & 1U) == 0) in |= std::uint64_t{1} << i;
  }
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < s.r; ++i) {
    if (((in >> i) & 1U) != 0) open.push_back(i);
  }
  while (true) {
    std::vector<std::size_t> set;
    for (const std::size_t i : open) {
      if (((in >> i) & 1U) != 0) set.push_back(i);
    }
    const std::vector<Integer> x = solve_ones(s, set);
    std::vector<Integer> mu(s.r, Integer(0));
    for (std::size_t k = 0; k < set.size(); ++k) mu[set[k]] = x[k];
    const auto wrong = std::find_if(open.begin(), open.end(), [&](std::size_t i) {
      if (((in >> i) & 1U) != 0) return mu[i] < 0;
      Integer w = -x.back();
      for (const std::size_t j : set) w += s.at(i, j) * mu[j];
      return w < 0;
    });
    if (wrong == open.end()) return mu;
    in ^= std::uint64_t{1} << *wrong;
  }
}

double nearest_weights(std::span<const double> gram, const std::vector<std::size_t>& open, std::vector<double>& mu) {
  const std::size_t r = mu.size();
  std::uint64_t in = 0;
  for (const std::size_t i : open) in |= std::uint64_t{1} << i;
  std::vector<std::size_t> set;
  std::vector<double> m;
  constexpr double kRidge = 1e-10;  // rays may be all but dependent, and p is not wanted exactly
  const std::size_t most_pivots = 64 * r;  // they are few; roundings alone could make them many
  for (std::size_t pivots = 0; pivots < most_pivots; ++pivots) {
    set.clear();
    for (const std::size_t i : open) {
      if (((in >> i) & 1U) != 0) set.push_back(i);
    }
    const std::size_t n = set.size();
    m.assign(n * (n + 1), 1.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) m[i * (n + 1) + j] = gram[set[i] * r + set[j]];
      m[i * (n + 1) + i] += kRidge;
    }
    for (std::size_t k = 0; k < n; ++k) {
      const double pivot = m[k * (n + 1) + k];
      for (std::size_t i = 0; i < n; ++i) {
        if (i == k) continue;
        const double f = m[i * (n + 1) + k] / pivot;
        for (std::size_t j = k; j <= n; ++j) m[i * (n + 1) + j] -= f * m[k * (n + 1) + j];
      }
    }
    std::fill(mu.begin(), mu.end(), 0.0);
    double sum = 0;
    for (std::size_t k = 0; k < n; ++k) sum += mu[set[k]] = m[k * (n + 1) + n] / m[k * (n + 1) + k];
    for (double& x : mu) x /= sum;
    double least = 2;
    double square = 0;
    std::size_t wrong = r;
    for (const std::size_t i : open) {
      double inner = 0;
      for (const std::size_t j : set) inner += gram[i * r + j] * mu[j];
      least = std::min(least, inner);
      square += mu[i] * inner;
      const bool inside = ((in >> i) & 1U) != 0;
      constexpr double kNegative = -1e-9;  // less is as good as none: that inner product will be of this size
      if (wrong == r && (inside ? mu[i] < 0 : inner * sum - 1 < kNegative)) wrong = i;
    }
    if (wrong == r) return least > 0 ? least * least / square : 0.0;
    in ^= std::uint64_t{1} << wrong;
  }
  return 0;
}

std::vector<ExactSimplex> cut_at_centre(ExactSimplex s) {
  if (std::popcount(s.centres) == static_cast<int>(s.r)) return {};
  level(s);
  std::vector<Integer> mu = nearest_weights(s);
  const auto inner_with = [&](std::size_t j) {
    Integer sum = 0;
    for (std::size_t k = 0; k < s.r; ++k) {
      if (!mu[k].is_zero()) sum += mu[k] * s.at(k, j);
    }
    return sum;
  };
  const auto square = [&](const std::vector<Integer>& inner) {
    Integer sum = 0;
    for (std::size_t k = 0; k < s.r; ++k) sum += mu[k] * inner[k];
    return sum;
  };
  std::vector<Integer> inner(s.r);
  for (std::size_t j = 0; j < s.r; ++j) inner[j] = inner_with(j);
  // Weights to as many bits as their cancellation needs: those of p, and 40 more.
  constexpr std::int64_t kBits = 40 + 8;
  const std::int64_t drop = length_exponent(square(inner)) - length_exponent(s.at(0, 0)) - kBits;
  if (drop > 0) {
    for (Integer& x : mu) x >>= static_cast<unsigned>(drop);
    for (std::size_t j = 0; j < s.r; ++j) inner[j] = inner_with(j);
  }
  const Integer length = square(inner);
  std::vector<std::size_t> support;
  for (std::size_t i = 0; i < s.r; ++i) {
    if (!mu[i].is_zero()) support.push_back(i);
  }
  std::vector<ExactSimplex> out;
  for (const std::size_t i : support) {
    ExactSimplex piece = s;
    piece.centres |= std::uint64_t{1} << i;
    if (support.size() > 1) {
      for (std::size_t j = 0; j < s.r; ++j) piece.at(i, j) = piece.at(j, i) = inner[j];
      piece.at(i, i) = length;
      piece.volume *= mu[i];
    }
    out.push_back(std::move(piece));
  }
  return out;
}

}  // namespace topes
