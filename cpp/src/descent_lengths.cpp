// Descent before its steps: the best lengths of the blocks, and blocks of one cell in one.
#include <algorithm>
#include <cmath>
#include <utility>

#include "topes/descent.hpp"

namespace topes {

namespace {

// Rounds of quadratic models in which lengths are chosen.
constexpr int kWeighings = 4;
// Share of a squared loss that is added to all curvature: where the loss has none of its own, it says how far to go at first.
constexpr double kFlat = 1e-11;
constexpr double kNothing = 1e-9;  // share of the largest block
constexpr int kHalvings = 30;
constexpr double kProgress = 1e-3;

// The rows above and below zero, as bits.
struct Sides {
  std::vector<std::uint64_t> above;
  std::vector<std::uint64_t> below;

  explicit Sides(const std::vector<double>& heights) : above((heights.size() + 63) / 64), below(above.size()) {
    for (std::size_t k = 0; k < heights.size(); ++k) {
      above[k / 64] |= std::uint64_t{heights[k] > 0 ? 1U : 0U} << (k % 64);
      below[k / 64] |= std::uint64_t{heights[k] < 0 ? 1U : 0U} << (k % 64);
    }
  }
  // Whether some hyperplane lies between.
  bool apart(const Sides& other) const {
    for (std::size_t w = 0; w < above.size(); ++w) {
      if ((above[w] & other.below[w]) | (below[w] & other.above[w])) return true;
    }
    return false;
  }
  void join(const Sides& other) {
    for (std::size_t w = 0; w < above.size(); ++w) {
      above[w] |= other.above[w];
      below[w] |= other.below[w];
    }
  }
};

}  // namespace

// The best lengths of the blocks, their directions kept: most of those just entered are none.
void Descent::weigh() {
  const std::size_t r = p_.r;
  for (std::size_t j = blocks_.size(); j-- > 0;) {  // what adds nothing to the outputs only costs
    const auto adds = [&](double h) { return h > 0 || (h < 0 && p_.kappa != 0); };
    if (std::none_of(blocks_[j].heights.begin(), blocks_[j].heights.end(), adds)) remove(j);
  }
  for (int round = 0; round < kWeighings && !blocks_.empty(); ++round) {
    look_around();
    const double before = value_of(f_);
    SmoothLoss::Curvature curvature;
    if (!loss_.curvature(f_, curvature)) return;
    gram_.set_weights(curvature.weights);
    gram_.update();
    const std::size_t m = blocks_.size();
    const std::size_t n_free = p_.free_bias ? 1 : 0;
    const std::vector<double> lengths = norms();
    std::vector<double> at = lengths;
    if (p_.free_bias) at.push_back(0.0);  // what is added to the constant
    std::vector<double> units(m * r);
    SymmetricMatrix G(m + n_free);
    std::vector<double> b(m + n_free);
    std::vector<double> flat(m + n_free);
    std::vector<double> along(m + n_free, 0.0);
    std::vector<double> of(r);
    const auto dot = [&](const double* x, const double* y) {
      double sum = 0;
      for (std::size_t a = 0; a < r; ++a) sum += x[a] * y[a];
      return sum;
    };
    for (std::size_t i = 0; i < m; ++i) {
      double* const unit = units.data() + i * r;
      for (std::size_t a = 0; a < r; ++a) unit[a] = blocks_[i].z[a] / std::max(lengths[i], 1e-300);
      for (std::size_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (std::size_t a = 0; a < r; ++a) {
          for (std::size_t c = 0; c < r; ++c) sum += unit[a] * gram_.entry(i, j, a, c) * units[j * r + c];
        }
        G.at(i, j) = curvature.scale * sum;
      }
      for (std::size_t a = 0; a < r; ++a) {
        for (std::size_t c = 0; c < r; ++c) flat[i] += unit[a] * gram_.square(i, a, c) * unit[c];
      }
      b[i] = -dot(unit, slopes_.data() + i * r) - p_.beta;
      if (!curvature.along.empty()) {
        gram_.adjoint(curvature.along, i, of.data());
        along[i] = dot(unit, of.data());
      }
      if (p_.free_bias) {
        gram_.adjoint(curvature.weights, i, of.data());
        G.at(m, i) = curvature.scale * dot(unit, of.data());
      }
    }
    if (p_.free_bias) {
      double weights = 0;
      for (const double w : curvature.weights) weights += w;
      for (const double v : v_) b[m] -= v;
      for (const double u : curvature.along) along[m] += u;
      G.at(m, m) = curvature.scale * weights;
      flat[m] = static_cast<double>(samples_);
    }
    for (std::size_t i = 0; i < G.size; ++i) {
      for (std::size_t j = 0; j <= i; ++j) G.at(i, j) -= curvature.scale * along[i] * along[j];
    }
    for (std::size_t i = 0; i < G.size; ++i) {  // the slopes are those at the lengths as they are
      for (std::size_t j = 0; j < G.size; ++j) b[i] += (i >= j ? G.at(i, j) : G.at(j, i)) * at[j];
    }
    for (std::size_t i = 0; i < G.size; ++i) G.at(i, i) += kFlat * std::max(flat[i], 1e-300);
    std::vector<double> lengths_then = at;
    if (!least_lengths(G, b, n_free, lengths_then)) return;

    const std::vector<std::vector<double>> old = [&] {
      std::vector<std::vector<double>> z;
      for (const Block& block : blocks_) z.push_back(block.z);
      return z;
    }();
    const double constant = constant_;
    double step = 1;
    int halving = 0;
    const auto place = [&](double share) {
      for (std::size_t j = 0; j < m; ++j) {
        const double times = 1.0 + share * (lengths_then[j] - lengths[j]) / std::max(lengths[j], 1e-300);
        for (std::size_t a = 0; a < r; ++a) blocks_[j].z[a] = old[j][a] * times;
        set_heights(blocks_[j]);
      }
      if (p_.free_bias) constant_ = constant + share * lengths_then[m];
      moved();
    };
    for (; halving < kHalvings; ++halving, step *= 0.5) {
      place(step);
      if (value() <= before) break;
    }
    if (halving == kHalvings) {
      place(0.0);
      return;
    }
    const std::vector<double> now = norms();
    const double least = kNothing * *std::max_element(now.begin(), now.end());
    for (std::size_t j = m; j-- > 0;) {
      if (!(now[j] > least)) remove(j);
    }
    const bool exact = loss_.kind() == LossKind::squared && step == 1.0;
    if (exact || before - value() <= kProgress * before) return;
  }
}

// Blocks of one sign in the closure of one cell become one: by the triangle inequality at no cost.
void Descent::merge() {
  std::vector<Sides> sides;
  for (const Block& b : blocks_) sides.emplace_back(b.heights);
  for (std::size_t j = 1; j < blocks_.size();) {
    std::size_t i = 0;
    while (i < j && (blocks_[i].sign != blocks_[j].sign || sides[i].apart(sides[j]))) ++i;
    if (i == j) {
      ++j;
      continue;
    }
    Block& into = blocks_[i];
    const Block& from = blocks_[j];
    std::vector<std::size_t> walls;
    for (const std::size_t g : into.walls) {
      if (std::find(from.walls.begin(), from.walls.end(), g) != from.walls.end()) walls.push_back(g);
    }
    for (std::size_t a = 0; a < p_.r; ++a) into.z[a] += from.z[a];
    for (std::size_t k = 0; k < p_.n; ++k) {
      if (into.heights[k] == 0.0) into.side[k] = from.side[k];
    }
    set_walls(i, std::move(walls));
    sides[i].join(sides[j]);
    remove(j);
    sides.erase(sides.begin() + static_cast<std::ptrdiff_t>(j));
  }
}

}  // namespace topes
