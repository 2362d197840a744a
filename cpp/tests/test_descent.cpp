// Descent: the line search against a scan, the curvature against sums, lengths and slopes against their conditions, runs that only descend.
#include <algorithm>
#include <cmath>
#include <random>

#include "check.hpp"
#include "topes/dense.hpp"
#include "topes/descent.hpp"
#include "topes/error.hpp"

using namespace topes;
using namespace topes::test;

namespace {

constexpr LossKind kKinds[] = {LossKind::squared, LossKind::l2, LossKind::huber, LossKind::logistic, LossKind::squared_hinge, LossKind::half_huber};

bool has_labels(LossKind kind) { return kind == LossKind::logistic || kind == LossKind::squared_hinge || kind == LossKind::half_huber; }

struct Random {
  std::mt19937_64 engine;
  std::normal_distribution<double> normal;
  explicit Random(std::uint64_t seed) : engine(seed) {}
  double operator()() { return normal(engine); }
  std::vector<double> vector(std::size_t n) {
    std::vector<double> x(n);
    for (double& each : x) each = (*this)();
    return x;
  }
};

SmoothLoss random_loss(LossKind kind, std::size_t n, Random& random) {
  std::vector<double> y = random.vector(n);
  if (has_labels(kind)) {
    for (double& x : y) x = x > 0 ? 1.0 : -1.0;
  }
  return SmoothLoss(kind, std::move(y));
}

DescentProblem random_problem(std::size_t n, std::size_t r, std::size_t pool, double kappa, bool free_bias, bool integers, Random& random) {
  DescentProblem p;
  p.n = n;
  p.r = r;
  p.pool = pool;
  p.kappa = kappa;
  p.free_bias = free_bias;
  p.beta = 0.1;
  p.X = random.vector(n * r);
  for (std::size_t k = 0; k < n; ++k) {
    double squares = 0;
    for (std::size_t a = 0; a < r; ++a) {
      double& x = p.X[a * n + k];
      if (integers) x = std::round(x);
      if (free_bias && a + 1 == r) x = 1.0;
      squares += x * x;
    }
    const double size = std::sqrt(squares);
    p.factor.push_back(size);
    if (size == 0) {
      p.group.push_back(-1);
      continue;
    }
    p.group.push_back(static_cast<std::int64_t>(p.normals.size() / r));
    for (std::size_t a = 0; a < r; ++a) p.normals.push_back(p.X[a * n + k] / size);
  }
  return p;
}

}  // namespace

TEST(slopes_of_losses_are_their_differences) {
  Random random(1);
  for (const LossKind kind : kKinds) {
    const SmoothLoss loss = random_loss(kind, 20, random);
    const std::vector<double> f = random.vector(20);
    const std::vector<double> d = random.vector(20);
    std::vector<double> v(20);
    loss.gradient(f, v);
    double slope = 0;
    for (std::size_t i = 0; i < 20; ++i) slope += v[i] * d[i];
    const auto along = loss.along(f, d);
    CHECK(std::abs(along.slope - slope) < 1e-12 * (1 + std::abs(slope)));
    CHECK(std::abs(along.value - loss.value(f)) < 1e-12 * (1 + along.value));
    const double h = 1e-6;
    std::vector<double> ahead = f;
    std::vector<double> behind = f;
    for (std::size_t i = 0; i < 20; ++i) {
      ahead[i] += h * d[i];
      behind[i] -= h * d[i];
    }
    CHECK(std::abs((loss.value(ahead) - loss.value(behind)) / (2 * h) - slope) < 1e-6 * (1 + std::abs(slope)));
    SmoothLoss::Curvature c;
    CHECK(loss.curvature(f, c));
    double bend = 0;
    double inner = 0;
    for (std::size_t i = 0; i < 20; ++i) bend += c.weights[i] * d[i] * d[i];
    for (std::size_t i = 0; i < c.along.size(); ++i) inner += c.along[i] * d[i];
    bend = c.scale * (bend - inner * inner);
    const double change = (loss.along(ahead, d).slope - loss.along(behind, d).slope) / (2 * h);
    CHECK(std::abs(change - bend) < 1e-5 * (1 + std::abs(bend)));
  }
  CHECK_THROWS(loss_kind("hinge"), InvalidArgument);
}

TEST(line_minimum_is_the_first_of_a_scan) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const LossKind kind = kKinds[seed % std::size(kKinds)];
    const std::size_t samples = 5;
    const std::size_t pool = 1 + seed % 2;
    const SmoothLoss loss = random_loss(kind, samples, random);
    Line line;
    line.outputs = random.vector(samples);
    line.slopes = random.vector(samples);
    line.zz = {1.0, 2.0};
    line.zd = {0.1 * random(), 0.1 * random()};
    line.dd = {0.5, 1.5};
    std::vector<Bend> bends;
    for (std::uint32_t k = 0; k < 12; ++k) {
      const double at = seed % 3 == 0 ? 0.25 * (1 + k % 3) : std::abs(std::sin(1.0 + k + static_cast<double>(seed)));
      if (at < 1) bends.push_back({at, random(), static_cast<std::uint32_t>(k % (samples * pool)), k});
    }
    const std::vector<Bend> all = bends;
    const auto value = [&](double t) {
      std::vector<double> f(samples);
      for (std::size_t i = 0; i < samples; ++i) f[i] = line.outputs[i] + t * line.slopes[i];
      for (const Bend& b : all) f[b.row / pool] += b.by * std::max(0.0, t - b.at);
      double sum = loss.value(f);
      for (std::size_t j = 0; j < 2; ++j) sum += 0.1 * std::sqrt(line.zz[j] + 2 * t * line.zd[j] + t * t * line.dd[j]);
      return sum;
    };
    const auto found = line_minimum(line, bends, pool, loss, 0.1);
    const double start = value(0);
    if (!found) {
      CHECK(value(1e-7) >= start - 1e-12);
      continue;
    }
    const double least = value(found->t);
    CHECK(least <= start * (1 + 1e-14));
    const double near = 1e-6;
    CHECK(value(std::max(0.0, found->t - near)) >= least - 1e-11);
    if (found->t < 1) CHECK(value(found->t + near) >= least - 1e-11);
    if (found->kink) CHECK(found->kink->at == found->t);
    std::vector<Bend> other = all;
    std::reverse(other.begin(), other.end());
    const auto again = line_minimum(line, other, pool, loss, 0.1);
    CHECK(again && std::abs(again->t - found->t) < 1e-12);  // sums in another order
  }
}

TEST(the_curvature_follows_its_gates) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const std::size_t r = 1 + seed % 4;
    const std::size_t pool = 1 + seed % 3;
    const std::size_t samples = 150;
    const std::size_t n = samples * pool;
    const std::vector<double> X = random.vector(n * r);
    Gram gram(X, n, r, pool);
    std::vector<std::vector<double>> gates;
    std::vector<double> weights(samples, 1.0);
    const auto insert = [&] {
      std::vector<double> g = random.vector(n);
      for (double& x : g) x = x > 0 ? 1.0 : 0.0;
      gates.push_back(g);
      gram.add(std::move(g));
    };
    const auto agrees = [&] {
      gram.update();
      std::vector<std::vector<double>> c;  // samples x r for each block
      for (const auto& g : gates) {
        std::vector<double> of(samples * r);
        for (std::size_t k = 0; k < n; ++k) {
          for (std::size_t a = 0; a < r; ++a) of[k / pool * r + a] += g[k] * X[a * n + k] / static_cast<double>(pool);
        }
        c.push_back(std::move(of));
      }
      double worst = 0;
      for (std::size_t i = 0; i < c.size(); ++i) {
        for (std::size_t j = 0; j < c.size(); ++j) {
          for (std::size_t a = 0; a < r; ++a) {
            for (std::size_t b = 0; b < r; ++b) {
              double sum = 0;
              double plain = 0;
              for (std::size_t s = 0; s < samples; ++s) {
                sum += weights[s] * c[i][s * r + a] * c[j][s * r + b];
                plain += c[i][s * r + a] * c[j][s * r + b];
              }
              worst = std::max(worst, std::abs(sum - gram.entry(i, j, a, b)));
              if (i == j) worst = std::max(worst, std::abs(plain - gram.square(i, a, b)));
            }
          }
        }
        std::vector<double> v(samples);
        for (std::size_t s = 0; s < samples; ++s) v[s] = std::sin(static_cast<double>(s));
        std::vector<double> out(r);
        gram.adjoint(v, i, out.data());
        for (std::size_t a = 0; a < r; ++a) {
          double sum = 0;
          for (std::size_t s = 0; s < samples; ++s) sum += v[s] * c[i][s * r + a];
          worst = std::max(worst, std::abs(sum - out[a]));
        }
      }
      return worst < 1e-9 * static_cast<double>(n);
    };
    for (int k = 0; k < 5; ++k) insert();
    CHECK(agrees());
    for (int k = 0; k < 40; ++k) {
      const std::size_t j = random.engine() % gates.size();
      const std::size_t row = random.engine() % n;
      gates[j][row] = std::round(random());
      gram.set(row, j, gates[j][row]);
    }
    CHECK(agrees());
    for (int k = 0; k < 3; ++k) weights[random.engine() % samples] = 0.5;  // few
    gram.set_weights(weights);
    CHECK(agrees());
    gram.remove(1);
    gates.erase(gates.begin() + 1);
    CHECK(agrees());
    for (double& w : weights) w = std::abs(random());  // all
    gram.set_weights(weights);
    CHECK(agrees());
    insert();
    CHECK(agrees());
  }
}

TEST(lengths_and_slopes_meet_their_conditions) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    const std::size_t n = 1 + seed % 9;
    const std::size_t rows = 12;
    const std::vector<double> A = random.vector(rows * n);
    const std::vector<double> y = random.vector(rows);
    SymmetricMatrix G(n);
    std::vector<double> b(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < rows; ++k) b[i] += A[i * rows + k] * y[k];
      for (std::size_t j = 0; j <= i; ++j) {
        for (std::size_t k = 0; k < rows; ++k) G.at(i, j) += A[i * rows + k] * A[j * rows + k];
      }
    }
    const std::size_t n_free = seed % 2;
    std::vector<double> x(n, 1.0);
    CHECK(least_lengths(G, b, n_free, x));
    for (std::size_t i = 0; i < n; ++i) {
      double slope = -b[i];
      for (std::size_t j = 0; j < n; ++j) slope += (i >= j ? G.at(i, j) : G.at(j, i)) * x[j];
      const bool bounded = i < n - n_free;
      CHECK(!bounded || (x[i] >= 0 && slope >= -1e-9));
      CHECK(std::abs(slope) < 1e-9 || (bounded && x[i] == 0));
    }

    const std::size_t r = 1 + seed % 4;
    std::vector<double> B = random.vector(r * n);  // often more columns than dimensions
    if (n > 2) std::copy_n(B.begin(), r, B.begin() + static_cast<std::ptrdiff_t>(r));
    const std::vector<double> c = random.vector(r);
    const BoundedSlopes best = bounded_slopes(B, c);
    std::vector<double> rest = c;
    for (std::size_t j = 0; j < n; ++j) {
      CHECK(best.s[j] >= 0 && best.s[j] <= 1);
      for (std::size_t a = 0; a < r; ++a) rest[a] -= best.s[j] * B[j * r + a];
    }
    for (std::size_t j = 0; j < n; ++j) {
      double slope = 0;
      for (std::size_t a = 0; a < r; ++a) slope += B[j * r + a] * rest[a];
      if (best.s[j] < 1) CHECK(slope <= 1e-9);
      if (best.s[j] > 0) CHECK(slope >= -1e-9);
    }
  }
}

TEST(a_run_only_descends_and_repeats_itself) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const LossKind kind = kKinds[seed % std::size(kKinds)];
    const bool free_bias = seed % 4 == 1;
    const std::size_t r = (free_bias ? 2 : 1) + seed % 3;
    const std::size_t pool = 1 + seed % 2;
    const double kappa = seed % 3 == 0 ? 0.0 : seed % 3 == 1 ? -1.0 : 0.3;
    std::vector<double> first;
    for (int twice = 0; twice < 2; ++twice) {
      Random random(seed);
      DescentProblem problem = random_problem(40 * pool, r, pool, kappa, free_bias, seed % 7 == 0, random);
      Descent descent(std::move(problem), random_loss(kind, 40, random));
      for (int k = 0; k < 6; ++k) descent.enter(random.vector(r), k % 2 == 0 ? 1.0 : -1.0);
      const double before = descent.value();
      descent.minimise(1e-9, 1e9, {});
      const double after = descent.value();
      CHECK(std::isfinite(after) && after <= before * (1 + 1e-12));
      descent.minimise(1e-9, 1e9, {});
      CHECK(descent.value() <= after * (1 + 1e-12));
      std::vector<double> all{after, descent.constant()};
      for (std::size_t j = 0; j < descent.size(); ++j) {
        CHECK(descent.walls(j).size() < r);
        all.insert(all.end(), descent.block(j).begin(), descent.block(j).end());
      }
      if (twice == 0) first = all;
      CHECK(all == first);
    }
  }
}

TEST(shapes_are_checked_and_nothing_is_nothing) {
  Random random(0);
  CHECK_THROWS(Descent(random_problem(4, 2, 1, 0, false, false, random), random_loss(LossKind::squared, 5, random)), InvalidArgument);
  DescentProblem lost = random_problem(4, 2, 1, 0, false, false, random);
  lost.group[0] = 9;
  CHECK_THROWS(Descent(lost, random_loss(LossKind::squared, 4, random)), InvalidArgument);
  Descent none(random_problem(4, 0, 1, 0, false, false, random), random_loss(LossKind::squared, 4, random));
  CHECK(none.minimise(1e-9, 1e9, {}) == 0 && none.size() == 0);
  Descent bias(random_problem(4, 1, 1, 0, true, false, random), SmoothLoss(LossKind::squared, {1, 2, 3, 4}));
  bias.minimise(1e-9, 1e9, {});
  CHECK(std::abs(bias.constant() - 2.5) < 1e-9);
  Descent one(random_problem(4, 2, 1, 0, false, false, random), random_loss(LossKind::squared, 4, random));
  const std::vector<double> z{1, 2, 3};
  CHECK_THROWS(one.enter(z, 1.0), InvalidArgument);
}
