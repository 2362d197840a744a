#include "topes/gram.hpp"

#include <algorithm>
#include <utility>

#include "topes/pack.hpp"

namespace topes {

namespace {

constexpr std::size_t kChunk = 128;       // samples at a time: their products stay in the nearest caches
constexpr std::size_t kManyWeights = 16;  // more than one weight in so many changed: all sums anew

// 2 x 4 products of columns of kChunk numbers, added to rows a, a + 1 and columns b to b + 3 of `to`.
void tile(const double* weighted, const double* plain, std::size_t a, std::size_t b, double* to, std::size_t width) {
  Pack sums[2][4] = {};
  const double* p = weighted + a * kChunk;
  const double* q = plain + b * kChunk;
  for (std::size_t k = 0; k < kChunk; k += kPack) {
    const Pack x = load(p + k);
    const Pack y = load(p + kChunk + k);
    for (std::size_t j = 0; j < 4; ++j) {
      const Pack z = load(q + j * kChunk + k);
      sums[0][j] += x * z;
      sums[1][j] += y * z;
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 4; ++j) to[(a + i) * width + b + j] += sum(sums[i][j]);
  }
}

}  // namespace

Gram::Gram(std::span<const double> X, std::size_t n, std::size_t r, std::size_t pool)
    : X_(X), n_(n), r_(r), pool_(pool), weights_(n / pool, 1.0) {}

void Gram::add(std::vector<double> gates) {
  gates_.push_back(std::move(gates));
  squares_.emplace_back(r_ * r_);
  stale_ = true;
}

void Gram::remove(std::size_t j) {
  if (!stale_) {  // rows and columns behind it move up
    const std::size_t size = gates_.size() * r_;
    const std::size_t first = j * r_;
    for (std::size_t a = 0; a < size - r_; ++a) {
      const double* from = matrix_.data() + (a < first ? a : a + r_) * width_;
      double* to = matrix_.data() + a * width_;
      if (a >= first) std::copy(from, from + first, to);
      std::copy(from + first + r_, from + size, to + first);
    }
  }
  gates_.erase(gates_.begin() + static_cast<std::ptrdiff_t>(j));
  squares_.erase(squares_.begin() + static_cast<std::ptrdiff_t>(j));
}

void Gram::contribution(std::size_t sample, std::size_t j, double* c) const {
  const std::vector<double>& gates = gates_[j];
  if (pool_ == 1) {
    for (std::size_t a = 0; a < r_; ++a) c[a] = gates[sample] * X_[a * n_ + sample];
    return;
  }
  for (std::size_t a = 0; a < r_; ++a) {
    double sum = 0;
    for (std::size_t k = sample * pool_; k < (sample + 1) * pool_; ++k) sum += gates[k] * X_[a * n_ + k];
    c[a] = sum / static_cast<double>(pool_);
  }
}

void Gram::set(std::size_t k, std::size_t j, double gate) {
  double& old = gates_[j][k];
  if (old == gate) return;
  if (!stale_) {
    const std::size_t sample = k / pool_;
    const double by = (gate - old) / static_cast<double>(pool_);
    const double weight = weights_[sample];
    c_.resize(3 * r_);
    double* const c = c_.data();
    double* const change = c + r_;
    double* const mine = c + 2 * r_;
    for (std::size_t a = 0; a < r_; ++a) change[a] = by * X_[a * n_ + k];
    contribution(sample, j, mine);
    for (std::size_t a = 0; a < r_; ++a) {
      for (std::size_t b = 0; b < r_; ++b) {
        const double more = change[a] * mine[b] + mine[a] * change[b] + change[a] * change[b];
        squares_[j][a * r_ + b] += more;
        matrix_[(j * r_ + a) * width_ + j * r_ + b] += weight * more;
      }
    }
    for (std::size_t i = 0; i < gates_.size() && weight != 0.0; ++i) {
      if (i == j || (pool_ == 1 && gates_[i][k] == 0.0)) continue;
      contribution(sample, i, c);
      const double* const left = i < j ? c : change;
      const double* const right = i < j ? change : c;
      double* const to = matrix_.data() + std::min(i, j) * r_ * width_ + std::max(i, j) * r_;
      for (std::size_t a = 0; a < r_; ++a) {
        for (std::size_t b = 0; b < r_; ++b) to[a * width_ + b] += weight * left[a] * right[b];
      }
    }
  }
  old = gate;
}

void Gram::set_weights(std::span<const double> weights) {
  if (!stale_) {
    std::size_t changed = 0;
    for (std::size_t s = 0; s < weights.size(); ++s) changed += weights[s] != weights_[s] ? 1 : 0;
    const std::size_t size = gates_.size() * r_;
    if (changed * kManyWeights > weights.size()) {
      stale_ = true;
    } else if (changed > 0) {
      c_.resize(size);
      for (std::size_t s = 0; s < weights.size(); ++s) {
        const double by = weights[s] - weights_[s];
        if (by == 0.0) continue;
        for (std::size_t j = 0; j < gates_.size(); ++j) contribution(s, j, c_.data() + j * r_);
        for (std::size_t a = 0; a < size; ++a) {
          const double left = by * c_[a];
          if (left == 0.0) continue;
          for (std::size_t b = a / r_ * r_; b < size; ++b) matrix_[a * width_ + b] += left * c_[b];
        }
      }
    }
  }
  weights_.assign(weights.begin(), weights.end());
}

void Gram::update() {
  if (stale_) rebuild();
  stale_ = false;
}

void Gram::rebuild() {
  const std::size_t size = gates_.size() * r_;
  const std::size_t padded = (size + 3) / 4 * 4;
  width_ = padded;
  matrix_.assign(padded * padded, 0.0);
  for (std::vector<double>& square : squares_) std::fill(square.begin(), square.end(), 0.0);
  std::vector<double> plain(padded * kChunk);
  std::vector<double> weighted(padded * kChunk);
  std::vector<double> c(r_);
  const std::size_t samples = n_ / pool_;
  for (std::size_t first = 0; first < samples; first += kChunk) {
    const std::size_t count = std::min(kChunk, samples - first);
    for (std::size_t j = 0; j < gates_.size(); ++j) {
      for (std::size_t k = 0; k < kChunk; ++k) {
        if (k < count) {
          contribution(first + k, j, c.data());
        } else {
          std::fill(c.begin(), c.end(), 0.0);
        }
        const double weight = k < count ? weights_[first + k] : 0.0;
        for (std::size_t a = 0; a < r_; ++a) {
          plain[(j * r_ + a) * kChunk + k] = c[a];
          weighted[(j * r_ + a) * kChunk + k] = weight * c[a];
        }
      }
      for (std::size_t a = 0; a < r_; ++a) {
        for (std::size_t b = 0; b < r_; ++b) {
          double sum = 0;
          for (std::size_t k = 0; k < kChunk; ++k) {
            sum += plain[(j * r_ + a) * kChunk + k] * plain[(j * r_ + b) * kChunk + k];
          }
          squares_[j][a * r_ + b] += sum;
        }
      }
    }
    for (std::size_t a = 0; a < padded; a += 2) {
      for (std::size_t b = a / r_ * r_ / 4 * 4; b < padded; b += 4) tile(weighted.data(), plain.data(), a, b, matrix_.data(), padded);
    }
  }
}

void Gram::adjoint(std::span<const double> v, std::size_t j, double* out) const {
  const std::vector<double>& gates = gates_[j];
  std::fill(out, out + r_, 0.0);
  const auto add = [&](std::size_t k, double weight) {
    for (std::size_t a = 0; a < r_; ++a) out[a] += weight * X_[a * n_ + k];
  };
  if (pool_ == 1) {
    double part[kChunk];
    for (std::size_t first = 0; first < n_; first += kChunk) {
      const std::size_t count = std::min(kChunk, n_ - first);
      for (std::size_t k = 0; k < count; ++k) part[k] = gates[first + k] * v[first + k];
      for (std::size_t a = 0; a < r_; ++a) {
        const double* const x = X_.data() + a * n_ + first;
        Pack sums[4] = {};
        std::size_t k = 0;
        for (; k + 4 * kPack <= count; k += 4 * kPack) {
          for (std::size_t i = 0; i < 4; ++i) sums[i] += load(part + k + i * kPack) * load(x + k + i * kPack);
        }
        double rest = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
        for (; k < count; ++k) rest += part[k] * x[k];
        out[a] += rest;
      }
    }
    return;
  }
  for (std::size_t k = 0; k < n_; ++k) {
    if (gates[k] != 0.0) add(k, gates[k] * v[k / pool_]);
  }
  for (std::size_t a = 0; a < r_; ++a) out[a] /= static_cast<double>(pool_);
}

}  // namespace topes
