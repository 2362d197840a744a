#include "topes/solid_angle_simplex.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "topes/random.hpp"
#include "topes/solid_angle_split.hpp"

namespace topes {

namespace {

// The rule is asked for this relative accuracy; its estimate of the error is on the safe side by a power of ten or two.
constexpr double kWanted = 5e-10;
constexpr int kMaxClasses = 12;  // the weights of higher rules alternate too much
constexpr std::size_t kMaxPoints = 1365;  // of one class: compositions of 11 into 5 parts

// 1 / sqrt(q)^r.
inline double inverse_power(double q, int r) {
  double p = 1;
  for (int k = 1; k < r; k += 2) p *= q;  // q^floor(r / 2)
  return r % 2 == 0 ? 1 / p : 1 / (p * std::sqrt(q));
}

// All ways to write k as a sum of r integers >= 0.
void compositions(int k, std::size_t at, std::vector<int>& parts, std::vector<std::vector<int>>& out) {
  if (at + 1 == parts.size()) {
    parts[at] = k;
    out.push_back(parts);
    return;
  }
  for (int i = 0; i <= k; ++i) {
    parts[at] = i;
    compositions(k - i, at + 1, parts, out);
  }
}

}  // namespace

double sphere_area(int r) { return 2 * std::exp(0.5 * r * std::log(std::numbers::pi) - std::lgamma(0.5 * r)); }

double halve(std::span<double> gram, std::size_t r, std::size_t a, std::size_t b, bool keep_b) {
  const auto at = [&](std::size_t i, std::size_t j) -> double& { return gram[i < j ? pair_index(i, j, r) : pair_index(j, i, r)]; };
  const double length = std::sqrt(2 + 2 * at(a, b));
  const std::size_t replaced = keep_b ? a : b;
  const std::size_t kept = keep_b ? b : a;
  for (std::size_t k = 0; k < r; ++k) {
    if (k != replaced && k != kept) at(k, replaced) = (at(k, a) + at(k, b)) / length;
  }
  at(replaced, kept) = length / 2;
  return 1 / length;
}

NestedRule::NestedRule(int r) : r_(r), n_pairs_(static_cast<std::size_t>(r * (r - 1) / 2)) {
  const int n = r - 1;  // dimension of the simplex
  for (int k = 0; k < kMaxClasses; ++k) {
    std::vector<std::vector<int>> betas;
    std::vector<int> parts(static_cast<std::size_t>(r));
    compositions(k, 0, parts, betas);
    Class c;
    c.n_points = betas.size();
    c.base.resize(betas.size());
    c.pairs.resize(betas.size() * n_pairs_);
    for (std::size_t p = 0; p < betas.size(); ++p) {
      std::size_t pair = 0;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const double t = (2.0 * betas[p][i] + 1) / (2 * k + 1 + n);
        c.base[p] += t * t;
        for (std::size_t j = i + 1; j < parts.size(); ++j, ++pair) {
          c.pairs[pair * betas.size() + p] = 2 * t * (2.0 * betas[p][j] + 1) / (2 * k + 1 + n);
        }
      }
    }
    classes_.push_back(std::move(c));
  }
  // (-1)^i 2^(-2s) (d + n - 2i)^d / (i! (d + n - i)!) for class s - i of the rule of degree d = 2s + 1.
  weights_.assign(kMaxClasses * kMaxClasses, 0.0);
  for (int s = 0; s < kMaxClasses; ++s) {
    const int d = 2 * s + 1;
    double magnitude = 0;
    for (int i = 0; i <= s; ++i) {
      // By products: what a logarithm rounds is the same for all cells, and the alternating sum has thousands of times of it.
      long double product = std::ldexp(1.0L, -2 * s);
      for (int k = 1; k <= d + n - i; ++k) product *= (k <= d ? d + n - 2.0L * i : 1.0L) / k;
      for (int k = d + n - i + 1; k <= d; ++k) product *= d + n - 2.0L * i;
      for (int k = 1; k <= i; ++k) product /= k;
      const auto w = static_cast<double>(product);
      weights_[static_cast<std::size_t>(s * kMaxClasses + s - i)] = i % 2 == 0 ? w : -w;
      magnitude += w * static_cast<double>(classes_[static_cast<std::size_t>(s - i)].n_points);
    }
    growth_.push_back(magnitude * std::tgamma(r));  // against the volume of the simplex
  }
}

double NestedRule::class_sum(const Class& points, const double* gram) const {
  std::array<double, kMaxPoints> q;
  const std::size_t n = points.n_points;
  std::copy_n(points.base.data(), n, q.data());
  for (std::size_t pair = 0; pair < n_pairs_; ++pair) {
    const double g = gram[pair];
    const double* m = points.pairs.data() + pair * n;
    for (std::size_t p = 0; p < n; ++p) q[p] += g * m[p];
  }
  if (r_ == 4) {
    for (std::size_t p = 0; p < n; ++p) q[p] = 1 / (q[p] * q[p]);
  } else {
    for (std::size_t p = 0; p < n; ++p) q[p] = 1 / (q[p] * q[p] * std::sqrt(q[p]));
  }
  return std::accumulate(q.data(), q.data() + n, 0.0);
}

bool NestedRule::settle(const double* gram, double volume, Measured& out) const {
  std::array<double, kMaxClasses> sums;
  double before = 0;
  double step_before = 0;
  for (std::size_t s = 0; s < kMaxClasses; ++s) {
    sums[s] = class_sum(classes_[s], gram);
    double value = 0;
    for (std::size_t k = 0; k <= s; ++k) value += weights_[s * kMaxClasses + k] * sums[k];
    const double step = std::abs(value - before);
    if (s >= 2) {
      // Steps shrink by a factor that itself shrinks: the next one is below this, with a factor of ten to spare.
      const double error = step * std::min(1.0, 10 * step / step_before);
      if (error <= kWanted * std::abs(value)) {
        constexpr double kRoundings = 8 * 0x1p-53;  // of the terms; alternating weights make more of them
        out += {volume * value, volume * (error + kRoundings * growth_[s] * value)};
        return true;
      }
      constexpr double kSlow = 0.15;  // halving is cheaper than so slow a gain
      if (step > kSlow * step_before) return false;
    }
    step_before = step;
    before = value;
  }
  return false;
}

namespace {

// Of the square of the distance of orthogonal rays' hull from the origin. Halving loses digits of inner products faster
// than cutting at centres, and estimates of 1e-9 want more of them than sampled ones.
constexpr double kPointed = 0.1;
constexpr double kPointedToSample = 1e-6;

std::vector<double> square_gram(std::span<const double> pairs, std::size_t r) {
  std::vector<double> out(r * r, 1.0);
  for (std::size_t i = 0, pair = 0; i < r; ++i) {
    for (std::size_t j = i + 1; j < r; ++j) out[i * r + j] = out[j * r + i] = pairs[pair++];
  }
  return out;
}

std::vector<std::size_t> all_rays(std::size_t r) {
  std::vector<std::size_t> out(r);
  std::iota(out.begin(), out.end(), std::size_t{0});
  return out;
}

// Without a negative inner product |sum of t_i v_i|^2 >= sum of t_i^2: the hull is no nearer to the origin than that of orthogonal rays. To
// find the point that is nearest pivots may turn in circles where rays are equal but for the last digits.
bool is_acute(std::span<const double> gram) { return *std::min_element(gram.begin(), gram.end()) >= 0; }

struct Part {
  std::vector<double> gram;
  double volume = 0;
};

// Halves parts at their widest pair until `accept(part, widest inner product)`; false beyond kWidest, or where that never ends.
template <class Accept>
bool halve_until(std::span<const double> gram, std::size_t r, double volume, Accept&& accept) {
  constexpr std::size_t kMostOpen = 200;  // depth of halvings; each brings the widest pair together
  std::vector<Part> open;
  open.push_back({{gram.begin(), gram.end()}, volume});
  while (!open.empty()) {
    Part part = std::move(open.back());
    open.pop_back();
    const auto widest = static_cast<std::size_t>(std::min_element(part.gram.begin(), part.gram.end()) - part.gram.begin());
    if (accept(part, part.gram[widest])) continue;
    if (!(part.gram[widest] >= kWidest) || open.size() > kMostOpen) return false;
    std::size_t a = 0;
    while (pair_index(a, r - 1, r) < widest) ++a;
    const std::size_t b = a + 1 + widest - pair_index(a, a + 1, r);
    Part other = part;
    part.volume *= halve(part.gram, r, a, b, true);
    other.volume *= halve(other.gram, r, a, b, false);
    open.push_back(std::move(part));
    open.push_back(std::move(other));
  }
  return true;
}

}  // namespace

bool NestedRule::operator()(std::span<const double> gram, double volume, Measured& out) const {
  constexpr double kFar = 0.35;  // cosine: beyond this angle halving is cheaper than a high degree
  Measured sum;
  const double widest = *std::min_element(gram.begin(), gram.end());
  if (!(widest > kFar && settle(gram.data(), volume, sum))) {
    const bool done = halve_until(gram, static_cast<std::size_t>(r_), volume, [&](const Part& part, double g) {
      return g > kFar && settle(part.gram.data(), part.volume, sum);
    });
    if (!done) return false;
  }
  out += sum;
  return true;
}

bool pointed(std::span<const double> gram, std::size_t r) {
  if (is_acute(gram)) return true;
  std::vector<double> mu(r);
  return nearest_weights(square_gram(gram, r), all_rays(r), mu) >= kPointed / static_cast<double>(r);
}

bool ShiftedPoints::prepare(std::span<const double> gram, std::size_t r, double volume, std::vector<double>& grams,
                            std::vector<double>& volumes) {
  struct Piece {
    std::vector<double> gram;
    double volume;
    std::vector<std::size_t> open;  // rays that are not centres
  };
  const std::vector<std::size_t> all = all_rays(r);
  std::vector<double> mu(r);
  std::vector<Piece> stack;
  stack.push_back({square_gram(gram, r), volume, all});
  // Orthogonal rays are at 1 / r. Children are no nearer to the origin than their parent.
  if (!is_acute(gram) && !(nearest_weights(stack.back().gram, all, mu) >= kPointedToSample / static_cast<double>(r))) return false;
  while (!stack.empty()) {
    Piece piece = std::move(stack.back());
    stack.pop_back();
    const double square = nearest_weights(piece.gram, all, mu);
    if (square >= 0.5 / static_cast<double>(r) || piece.open.size() <= 1) {
      for (std::size_t i = 0; i < r; ++i) {
        for (std::size_t j = i + 1; j < r; ++j) grams.push_back(piece.gram[i * r + j]);
      }
      volumes.push_back(piece.volume);
      continue;
    }
    nearest_weights(piece.gram, piece.open, mu);
    std::vector<std::size_t> support;
    for (const std::size_t i : piece.open) {
      if (mu[i] > 0) support.push_back(i);
    }
    std::vector<double> inner(r, 0.0);
    for (std::size_t j = 0; j < r; ++j) {
      for (const std::size_t i : support) inner[j] += mu[i] * piece.gram[i * r + j];
    }
    double length = 0;
    for (const std::size_t i : support) length += mu[i] * inner[i];
    length = std::sqrt(length);
    for (const std::size_t i : support) {
      Piece child = piece;
      std::erase(child.open, i);
      if (support.size() > 1) {
        for (std::size_t j = 0; j < r; ++j) child.gram[i * r + j] = child.gram[j * r + i] = inner[j] / length;
        child.gram[i * r + i] = 1;
        child.volume *= mu[i] / length;
      }
      stack.push_back(std::move(child));
    }
  }
  return true;
}

ShiftedPoints::ShiftedPoints(int r, std::uint64_t n_points, std::uint64_t seed)
    : r_(r),
      n_pairs_(static_cast<std::size_t>(r * (r - 1) / 2)),
      per_shift_(static_cast<std::size_t>((std::max<std::uint64_t>(n_points, 1) + kShifts - 1) / kShifts)) {
  const auto rank = static_cast<std::size_t>(r);
  // Multiples of the square roots of primes [Richtmyer51]: one number chooses the cone, r - 1 the point in it.
  std::vector<double> step;
  for (int p = 2; step.size() < rank; ++p) {
    bool prime = true;
    for (int q = 2; q * q <= p && prime; ++q) prime = p % q != 0;
    if (prime) step.push_back(std::sqrt(static_cast<double>(p)));
  }
  SplitMix64 random(seed);
  const std::size_t n = kShifts * per_shift_;
  base_.assign(n, 0.0);
  pairs_.assign(n * n_pairs_, 0.0);
  choice_.resize(n);
  std::vector<double> shift(rank), t(rank);
  for (std::size_t s = 0; s < kShifts; ++s) {
    for (double& x : shift) x = random.uniform();
    const auto coordinate = [&](std::size_t point, std::size_t j) {
      const double x = static_cast<double>(point + 1) * step[j] + shift[j];
      return x - std::floor(x);
    };
    std::vector<std::size_t> order(per_shift_);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return coordinate(a, 0) < coordinate(b, 0); });
    for (std::size_t k = 0; k < per_shift_; ++k) {
      const std::size_t p = s * per_shift_ + k;
      choice_[p] = coordinate(order[k], 0);
      double rest = 1;  // uniform in the simplex: the largest of j uniform numbers is u^(1/j)
      for (std::size_t j = rank - 1; j >= 1; --j) {
        const double x = std::pow(coordinate(order[k], j), 1.0 / static_cast<double>(j));
        t[j] = rest * (1 - x);
        rest *= x;
      }
      t[0] = rest;
      std::size_t pair = 0;
      for (std::size_t i = 0; i < rank; ++i) {
        base_[p] += t[i] * t[i];
        for (std::size_t j = i + 1; j < rank; ++j) pairs_[p * n_pairs_ + pair++] = 2 * t[i] * t[j];
      }
    }
  }
}

Measured ShiftedPoints::operator()(std::span<const double> grams, std::span<const double> volumes) const {
  const double total = std::accumulate(volumes.begin(), volumes.end(), 0.0);
  std::array<double, kShifts> mean;
  for (std::size_t s = 0; s < kShifts; ++s) {
    double sum = 0;
    double below = volumes[0];
    std::size_t cone = 0;
    for (std::size_t p = s * per_shift_; p < (s + 1) * per_shift_; ++p) {
      while (choice_[p] * total >= below && cone + 1 < volumes.size()) below += volumes[++cone];
      double q = base_[p];
      const double* g = grams.data() + cone * n_pairs_;
      const double* m = pairs_.data() + p * n_pairs_;
      for (std::size_t pair = 0; pair < n_pairs_; ++pair) q += g[pair] * m[pair];
      sum += inverse_power(q, r_);
    }
    mean[s] = sum / static_cast<double>(per_shift_);
  }
  const double average = std::accumulate(mean.begin(), mean.end(), 0.0) / kShifts;
  double squares = 0;
  for (const double m : mean) squares += (m - average) * (m - average);
  const double scale = total / std::tgamma(r_);  // volume of the simplex: 1 / (r - 1)!
  return {scale * average, 3 * scale * std::sqrt(squares / (kShifts * (kShifts - 1)))};
}

}  // namespace topes
