// The largest value of a concave piecewise linear function on a simplex, with the slopes that prove it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace topes {

/// Maximises g.x - sum_k weight[k] * max(0, h_k.x) over x >= 0, sum x = 1, where h_k has the entries z[j][k]: a simplex method
/// whose vertices are those that the hyperplanes h_k cut the simplex into, and whose steps go on past bends while that pays.
///
/// The slopes c in [0, 1] it leaves are multipliers: max_j (g_j - sum_k c_k weight[k] z[j][k]) bounds the maximum whatever they
/// are, and is the maximum itself at the end of the search.
template <int R>
class ConcaveMaximum {
 public:
  using Vector = std::array<double, R>;

  /// \param slope  out: c
  /// \return x
  Vector run(const Vector& g, const std::array<double*, R>& z, const double* weight, std::uint32_t m, std::vector<double>& slope) {
    start(g, z, weight, m);
    int item = 0;
    for (int pivots = 0; pivots < kMostPivots && solve(); ++pivots) {
      double sense = 0;
      item = leaving(sense);
      if (item < 0 || !go(item, sense)) break;
    }
    slope.assign(m, 0.0);
    for (std::uint32_t k = 0; k < m; ++k) slope[k] = above_[k] ? 1.0 : 0.0;
    for (int i = 0; i + 1 < R; ++i) {
      if (active_[i] >= R) slope[kink(i)] = std::clamp(y_[i] / weight[kink(i)], 0.0, 1.0);
    }
    return x_;
  }

 private:
  static constexpr int kMostPivots = 64;
  static constexpr double kNone = 1e-13;      // share below which a multiplier is within its bounds
  static constexpr double kParallel = 1e-12;  // share below which a hyperplane or a side is parallel to an edge

  std::uint32_t kink(int i) const { return static_cast<std::uint32_t>(active_[i] - R); }

  void start(const Vector& g, const std::array<double*, R>& z, const double* weight, std::uint32_t m) {
    g_ = &g;
    z_ = &z;
    weight_ = weight;
    m_ = m;
    int top = 0;
    double most = -INFINITY;
    for (int j = 0; j < R; ++j) {
      double value = g[j];
      for (std::uint32_t k = 0; k < m; ++k) value -= weight[k] * std::max(z[j][k], 0.0);
      if (value > most) {
        most = value;
        top = j;
      }
    }
    x_.fill(0.0);
    x_[top] = 1.0;
    above_.resize(m);
    for (std::uint32_t k = 0; k < m; ++k) above_[k] = z[top][k] > 0.0 ? 1 : 0;
    for (int j = 0, i = 0; j < R; ++j) {
      if (j != top) active_[i++] = j;
    }
  }

  // Rows of what is active, and of sum x; its inverse; the multipliers of the gradient here.
  bool solve() {
    std::array<std::array<double, 2 * R>, R> a{};
    for (int i = 0; i < R; ++i) {
      for (int j = 0; j < R; ++j) {
        a[i][j] = i + 1 == R ? 1.0 : active_[i] < R ? (active_[i] == j ? 1.0 : 0.0) : (*z_)[j][kink(i)];
      }
      a[i][R + i] = 1.0;
    }
    for (int p = 0; p < R; ++p) {
      int pivot = p;
      for (int q = p + 1; q < R; ++q) pivot = std::abs(a[q][p]) > std::abs(a[pivot][p]) ? q : pivot;
      if (!(std::abs(a[pivot][p]) > 0)) return false;
      std::swap(a[pivot], a[p]);
      const double by = 1.0 / a[p][p];
      for (double& entry : a[p]) entry *= by;
      for (int q = 0; q < R; ++q) {
        if (q == p) continue;
        const double f = a[q][p];
        if (f == 0.0) continue;
        for (int j = 0; j < 2 * R; ++j) a[q][j] -= f * a[p][j];
      }
    }
    Vector slope = *g_;
    for (std::uint32_t k = 0; k < m_; ++k) {
      if (!above_[k]) continue;
      for (int j = 0; j < R; ++j) slope[j] -= weight_[k] * (*z_)[j][k];
    }
    for (int i = 0; i < R; ++i) {
      y_[i] = 0;
      for (int j = 0; j < R; ++j) {
        inverse_[j][i] = a[j][R + i];
        y_[i] += slope[j] * a[j][R + i];
      }
    }
    size_ = 0;
    for (int j = 0; j < R; ++j) size_ = std::max(size_, std::abs(slope[j]));
    return true;
  }

  // What it pays most to leave, and to which side; -1 at a maximum.
  int leaving(double& sense) const {
    int best = -1;
    double most = 0;
    for (int i = 0; i + 1 < R; ++i) {
      double up = y_[i];
      double down = 0;  // coordinates do not fall below zero
      if (active_[i] >= R) {
        up -= weight_[kink(i)];
        down = -y_[i];
      }
      double length = 0;
      for (int j = 0; j < R; ++j) length += std::abs(inverse_[j][i]);
      const double gain = std::max(up, down) / length;
      if (gain <= most || std::max(up, down) <= kNone * (active_[i] >= R ? weight_[kink(i)] : size_)) continue;
      most = gain;
      best = i;
      sense = up >= down ? 1.0 : -1.0;
    }
    return best;
  }

  // Along the edge that leaves item i: past bends while the value rises. False where nothing stops it, which rounding may bring about.
  bool go(int i, double sense) {
    Vector d;
    double longest = 0;
    for (int j = 0; j < R; ++j) {
      d[j] = sense * inverse_[j][i];
      longest = std::max(longest, std::abs(d[j]));
    }
    const bool was_kink = active_[i] >= R;
    double rise = sense > 0 ? y_[i] - (was_kink ? weight_[kink(i)] : 0.0) : -y_[i];
    if (was_kink) above_[kink(i)] = sense > 0 ? 1 : 0;
    bends_.clear();
    for (int j = 0; j < R; ++j) {
      if (d[j] < -kParallel * longest && !is_active(j)) bends_.push_back({std::max(0.0, -x_[j] / d[j]), INFINITY, j});
    }
    for (std::uint32_t k = 0; k < m_; ++k) {
      const int name = R + static_cast<int>(k);
      if (is_active(name)) continue;
      double h = 0;
      double along = 0;
      double size = 0;
      for (int j = 0; j < R; ++j) {
        h += (*z_)[j][k] * x_[j];
        along += (*z_)[j][k] * d[j];
        size += std::abs((*z_)[j][k] * d[j]);
      }
      if (std::abs(along) <= kParallel * size) continue;
      if (above_[k] ? along < 0 : along > 0) bends_.push_back({std::max(0.0, -h / along), weight_[k] * std::abs(along), name});
    }
    std::sort(bends_.begin(), bends_.end(), [](const Bend& a, const Bend& b) { return a.at < b.at || (a.at == b.at && a.name < b.name); });
    for (const Bend& bend : bends_) {
      rise -= bend.by;
      if (rise > 0) {
        above_[bend.name - R] = above_[bend.name - R] ? 0 : 1;
        continue;
      }
      for (int j = 0; j < R; ++j) x_[j] = std::max(0.0, x_[j] + bend.at * d[j]);
      active_[i] = bend.name;
      if (bend.name >= R) above_[bend.name - R] = 0;
      return true;
    }
    return false;
  }

  // The item that is being left may not come back on the same edge.
  bool is_active(int name) const { return std::find(active_.begin(), active_.end() - 1, name) != active_.end() - 1; }

  struct Bend {
    double at;
    double by;
    int name;
  };

  const Vector* g_ = nullptr;
  const std::array<double*, R>* z_ = nullptr;
  const double* weight_ = nullptr;
  std::uint32_t m_ = 0;
  Vector x_{};
  Vector y_{};
  double size_ = 0;
  std::array<int, R> active_{};  // R - 1 of: j for x_j = 0, R + k for h_k = 0
  std::array<Vector, R> inverse_{};
  std::vector<char> above_;  // whether a kink counts; not those that are active
  std::vector<Bend> bends_;
};

}  // namespace topes
