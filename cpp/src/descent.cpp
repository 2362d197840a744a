#include "topes/descent.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "topes/error.hpp"
#include "topes/pack.hpp"

namespace topes {

namespace {

// Heights below this share of a block and a row are zero up to rounding.
constexpr double kZero = 1e-13;
// Blocks below this share of the largest are none.
constexpr double kNothing = 1e-9;
// Steps longer than this share of a whole one say that the face is left no more.
constexpr double kWhole = 0.99;
// So many times in a row walls are released without a step that descends.
constexpr int kMostBlocked = 3;
// So often, for each block, a block goes back to a wall it has just left.
constexpr std::size_t kMostMet = 4;
constexpr double kLeastDamping = 1e-13;
constexpr double kMostDamping = 1e-2;
// Beyond this no damping helps.
constexpr double kNoDamping = 1e6;

}  // namespace

Descent::Descent(DescentProblem problem, SmoothLoss loss)
    : p_(std::move(problem)), loss_(std::move(loss)), samples_(loss_.size()), gram_(p_.X, p_.n, p_.r, std::max<std::size_t>(1, p_.pool)),
      hyperplanes_(p_.r == 0 ? 0 : p_.normals.size() / p_.r), damping_(kLeastDamping), penalised_(p_.free_bias ? p_.r - 1 : p_.r) {
  const bool fits = p_.r >= (p_.free_bias ? 1U : 0U) && p_.pool >= 1 && p_.X.size() == p_.n * p_.r && p_.group.size() == p_.n &&
                    p_.factor.size() == p_.n && p_.normals.size() == hyperplanes_ * p_.r && samples_ * p_.pool == p_.n;
  if (!fits) throw InvalidArgument("descent: the arrays do not fit each other");
  for (const std::int64_t g : p_.group) {
    if (g < -1 || g >= static_cast<std::int64_t>(hyperplanes_)) throw InvalidArgument("descent: a row has no such hyperplane");
  }
  sizes_.assign(p_.n, 0.0);
  for (std::size_t a = 0; a < p_.r; ++a) {
    for (std::size_t k = 0; k < p_.n; ++k) sizes_[k] += p_.X[a * p_.n + k] * p_.X[a * p_.n + k];
  }
  for (double& size : sizes_) size = std::sqrt(size);
}

double Descent::norm(const Block& b) const {
  double sum = 0;
  for (std::size_t a = 0; a < penalised_; ++a) sum += b.z[a] * b.z[a];
  return std::sqrt(sum);
}

std::vector<double> Descent::norms() const {
  std::vector<double> out;
  for (const Block& b : blocks_) out.push_back(norm(b));
  return out;
}

void Descent::product(const double* z, double* out) const {
  std::fill(out, out + p_.n, 0.0);
  for (std::size_t a = 0; a < p_.r; ++a) {
    const double* const x = p_.X.data() + a * p_.n;
    for (std::size_t k = 0; k < p_.n; ++k) out[k] += x[k] * z[a];
  }
}

void Descent::set_heights(Block& b) const {
  product(b.z.data(), b.heights.data());
  if (b.walls.empty()) return;
  for (std::size_t k = 0; k < p_.n; ++k) {
    if (b.on_wall[k]) b.heights[k] = 0;
  }
}

void Descent::add_outputs(const Block& b, std::vector<double>& f, double times) const {
  const double above = times * b.sign / static_cast<double>(p_.pool);
  const double below = p_.kappa * above;
  if (p_.pool == 1) {
    for (std::size_t k = 0; k < p_.n; ++k) f[k] += above * std::max(b.heights[k], 0.0) + below * std::min(b.heights[k], 0.0);
    return;
  }
  for (std::size_t s = 0; s < samples_; ++s) {
    for (std::size_t k = s * p_.pool; k < (s + 1) * p_.pool; ++k) f[s] += (b.heights[k] >= 0 ? above : below) * b.heights[k];
  }
}

std::vector<double> Descent::outputs() const {
  std::vector<double> f(samples_, constant_);
  for (const Block& b : blocks_) add_outputs(b, f);
  return f;
}

double Descent::value_of(const std::vector<double>& f) const {
  double penalty = 0;
  for (const Block& b : blocks_) penalty += norm(b);
  return loss_.value(f) + p_.beta * penalty;
}

double Descent::value() const { return value_of(outputs()); }

void Descent::enter(std::span<const double> z, double sign) {
  if (z.size() != p_.r) throw InvalidArgument("descent: a block needs " + std::to_string(p_.r) + " coordinates");
  Block b;
  b.z.assign(z.begin(), z.end());
  b.sign = sign;
  b.heights.resize(p_.n);
  b.on_wall.assign(p_.n, 0);
  b.flat.assign(p_.r * p_.r, 0.0);
  for (std::size_t a = 0; a < p_.r; ++a) b.flat[a * p_.r + a] = 1.0;
  set_heights(b);
  b.side.resize(p_.n);
  std::vector<double> gates(p_.n);
  for (std::size_t k = 0; k < p_.n; ++k) {
    b.side[k] = b.heights[k] >= 0 ? 1 : 0;
    gates[k] = gate(b, k);
  }
  blocks_.push_back(std::move(b));
  gram_.add(std::move(gates));
  moved();
}

void Descent::set_side(std::size_t j, std::size_t k, bool above) {
  Block& b = blocks_[j];
  b.side[k] = above ? 1 : 0;
  gram_.set(k, j, gate(b, k));
}

void Descent::remove(std::size_t j) {
  blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(j));
  gram_.remove(j);
  moved();
}

void Descent::look_around() {
  if (fresh_) return;
  f_ = outputs();
  v_.resize(samples_);
  loss_.gradient(f_, v_);
  slopes_.resize(blocks_.size() * p_.r);
  for (std::size_t j = 0; j < blocks_.size(); ++j) gram_.adjoint(v_, j, slopes_.data() + j * p_.r);
  fresh_ = true;
}

std::size_t Descent::minimise(double accuracy, double max_seconds, const ProgressHook& hook, std::size_t max_steps) {
  const std::size_t most_steps = std::min(max_steps, kMostSteps);
  const auto start = std::chrono::steady_clock::now();
  const std::chrono::duration<double> most(std::min(max_seconds, 1e9));
  for (Block& b : blocks_) set_heights(b);
  moved();
  weigh();
  merge();
  damping_ = kLeastDamping;
  int blocked = 0;
  std::size_t met = 0;
  for (std::size_t step = 0; step < most_steps; ++step) {
    if (hook) hook(static_cast<double>(step) / static_cast<double>(most_steps), 0);
    if ((blocks_.empty() && !p_.free_bias) || std::chrono::steady_clock::now() - start > most) return step;
    const std::optional<Step> next = newton();
    if (!next) return step;
    if (next->unrest <= accuracy) {
      if (blocked >= kMostBlocked || !release()) return step;
      ++blocked;
      continue;
    }
    const Move move = go(*next);
    if (!move.changed) {
      if (damping_ < kMostDamping) {
        damping_ *= 1e3;
      } else if (blocked < kMostBlocked && release()) {
        ++blocked;
      } else {
        return step;
      }
    } else if (move.t >= kWhole) {
      damping_ = std::max(kLeastDamping, 0.1 * damping_);
      if (release()) blocked = 0;
    } else if (move.t == 0) {
      if (++met > kMostMet * blocks_.size()) return step;
    } else if (move.smooth && move.t < 1e-3 && damping_ < kMostDamping) {
      damping_ *= 10.0;
    }
  }
  return most_steps;
}

// Nothing where the loss has no curvature.
std::optional<Descent::Step> Descent::newton() {
  const std::size_t r = p_.r;
  look_around();
  SmoothLoss::Curvature curvature;
  if (!loss_.curvature(f_, curvature)) return std::nullopt;
  gram_.set_weights(curvature.weights);
  gram_.update();
  std::vector<std::size_t> first{0};
  for (const Block& b : blocks_) first.push_back(first.back() + dimension(b));
  const std::size_t last = first.back();
  const std::size_t size = last + (p_.free_bias ? 1 : 0);
  if (size == 0) return std::nullopt;

  SymmetricMatrix H(size);
  std::vector<double> g(size, 0.0);
  std::vector<double> scale(size, 0.0);
  std::vector<double> along(size, 0.0);  // of the loss, what has no curvature
  std::vector<double> part(r * r);
  std::vector<double> of(r);
  Step out;
  if (p_.free_bias) {
    g[last] = std::accumulate(v_.begin(), v_.end(), 0.0);
    out.unrest = std::abs(g[last]);
    scale[last] = static_cast<double>(samples_);
    H.at(last, last) = curvature.scale * std::accumulate(curvature.weights.begin(), curvature.weights.end(), 0.0);
    along[last] = std::accumulate(curvature.along.begin(), curvature.along.end(), 0.0);
  }
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const Block& b = blocks_[i];
    const double* const flat = b.flat.data();
    const std::size_t dim = dimension(b);
    const auto onto = [&](const double* x, std::size_t p, std::size_t count) {
      double sum = 0;
      for (std::size_t a = 0; a < count; ++a) sum += flat[p * r + a] * x[a];
      return sum;
    };
    for (std::size_t j = 0; j <= i; ++j) {  // flat_i' M flat_j
      const Block& other = blocks_[j];
      const std::size_t other_dim = dimension(other);
      for (std::size_t a = 0; a < r; ++a) {
        for (std::size_t q = 0; q < other_dim; ++q) {
          double sum = 0;
          for (std::size_t c = 0; c < r; ++c) sum += gram_.entry(i, j, a, c) * other.flat[q * r + c];
          part[q * r + a] = sum;
        }
      }
      for (std::size_t p = 0; p < dim; ++p) {
        for (std::size_t q = 0; q < other_dim; ++q) H.at(first[i] + p, first[j] + q) = curvature.scale * onto(part.data() + q * r, p, r);
      }
    }
    if (p_.free_bias) {
      gram_.adjoint(curvature.weights, i, of.data());
      for (std::size_t p = 0; p < dim; ++p) H.at(last, first[i] + p) = curvature.scale * onto(of.data(), p, r);
    }
    if (!curvature.along.empty()) {
      gram_.adjoint(curvature.along, i, of.data());
      for (std::size_t p = 0; p < dim; ++p) along[first[i] + p] = onto(of.data(), p, r);
    }
    const double size_of_b = std::max(norm(b), 1e-300);
    double squares = 0;
    std::vector<double> toward(dim);
    for (std::size_t p = 0; p < dim; ++p) {
      toward[p] = onto(b.z.data(), p, penalised_) / size_of_b;
      double& slope = g[first[i] + p];
      slope = onto(slopes_.data() + i * r, p, r) + p_.beta * toward[p];
      squares += slope * slope;
      for (std::size_t a = 0; a < r; ++a) {
        for (std::size_t c = 0; c < r; ++c) scale[first[i] + p] += flat[p * r + a] * gram_.square(i, a, c) * flat[p * r + c];
      }
    }
    out.unrest = std::max(out.unrest, std::sqrt(squares));
    for (std::size_t p = 0; p < dim; ++p) {
      for (std::size_t q = 0; q <= p; ++q) {
        H.at(first[i] + p, first[i] + q) += p_.beta / size_of_b * (onto(flat + q * r, p, penalised_) - toward[p] * toward[q]);
      }
    }
  }
  out.unrest /= p_.beta;
  if (!curvature.along.empty()) {
    for (std::size_t p = 0; p < size; ++p) {
      for (std::size_t q = 0; q <= p; ++q) H.at(p, q) -= curvature.scale * along[p] * along[q];
    }
  }
  const double largest = *std::max_element(scale.begin(), scale.end());
  const double least = 1e-6 * (largest > 0 ? largest : 1.0);
  for (double damping = damping_;; damping *= 100.0) {  // more than asked for only where roundings leave no factor
    if (!(damping <= kNoDamping)) return std::nullopt;
    SymmetricMatrix L = H;
    for (std::size_t p = 0; p < size; ++p) L.at(p, p) += damping * std::max(scale[p], least);
    if (!cholesky(L)) continue;
    for (double& x : g) x = -x;
    cholesky_solve(L, g);
    break;
  }
  out.z.assign(blocks_.size() * r, 0.0);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    for (std::size_t p = 0; p < dimension(blocks_[i]); ++p) {
      for (std::size_t a = 0; a < r; ++a) out.z[i * r + a] += blocks_[i].flat[p * r + a] * g[first[i] + p];
    }
  }
  out.constant = p_.free_bias ? g[last] : 0.0;
  return out;
}

// To the first minimum along the step, a block at most to its end.
Descent::Move Descent::go(const Step& step) {
  const std::size_t n = p_.n;
  const std::size_t r = p_.r;
  const std::size_t m = blocks_.size();
  Line line;
  std::vector<double> ends(m, INFINITY);
  for (std::size_t j = 0; j < m; ++j) {
    double zz = 0;
    double zd = 0;
    double dd = 0;
    for (std::size_t a = 0; a < penalised_; ++a) {
      const double z = blocks_[j].z[a];
      const double d = step.z[j * r + a];
      zz += z * z;
      zd += z * d;
      dd += d * d;
    }
    line.zz.push_back(zz);
    line.zd.push_back(zd);
    line.dd.push_back(dd);
    if (zd < 0) ends[j] = zz / -zd;
    line.most = std::min(line.most, ends[j]);
  }
  line.outputs.assign(samples_, constant_);
  line.slopes.assign(samples_, step.constant);
  std::vector<Bend>& bends = bends_;
  std::vector<std::uint8_t>& above = above_;
  std::vector<std::uint8_t>& on = on_;
  bends.clear();
  above.resize(m * n);
  on.resize(m * n);
  std::vector<double> dh(n);
  for (std::size_t j = 0; j < m; ++j) {
    const Block& b = blocks_[j];
    product(step.z.data() + j * r, dh.data());
    if (!b.walls.empty()) {
      for (std::size_t k = 0; k < n; ++k) dh[k] = b.on_wall[k] ? 0.0 : dh[k];
    }
    double squares = 0;
    for (const double x : b.z) squares += x * x;
    const double zero = kZero * std::sqrt(squares);
    const double up = b.sign / static_cast<double>(p_.pool);
    const double down = p_.kappa * up;
    std::uint8_t* const is_above = above.data() + j * n;
    std::uint8_t* const is_on = on.data() + j * n;
    const auto take = [&](std::size_t k, std::size_t sample) {
      const double h = std::abs(b.heights[k]) <= zero * sizes_[k] ? 0.0 : b.heights[k];
      const bool a = h > 0 || (h == 0 && dh[k] > 0);
      const double weight = a ? up : down;
      line.outputs[sample] += weight * h;
      line.slopes[sample] += weight * dh[k];
      is_above[k] = a ? 1 : 0;
      is_on[k] = h == 0 ? 1 : 0;
      if (h * dh[k] < 0 && std::abs(h) < line.most * std::abs(dh[k])) {
        bends.push_back({-h / dh[k], up * (1.0 - p_.kappa) * std::abs(dh[k]), static_cast<std::uint32_t>(k),
                         static_cast<std::uint32_t>(j)});
      }
    };
    for (std::size_t sample = 0, k = 0; sample < samples_; ++sample) {
      for (std::size_t patch = 0; patch < p_.pool; ++patch, ++k) take(k, sample);
    }
  }
  const std::optional<LineMinimum> found = line_minimum(line, bends, p_.pool, loss_, p_.beta);
  if (!found) return {0.0, meet(above, on), false};

  const double t = found->t;
  for (const Bend& bend : bends) {
    if (found->kink ? bend.at < t : bend.at <= t) above[bend.block * n + bend.row] ^= 1;
  }
  for (std::size_t j = 0; j < m; ++j) {
    Block& b = blocks_[j];
    for (std::size_t a = 0; a < r; ++a) b.z[a] += t * step.z[j * r + a];
    for (std::size_t k = 0; k < n; ++k) {
      if (b.side[k] != above[j * n + k]) set_side(j, k, above[j * n + k] != 0);
    }
    set_heights(b);
  }
  constant_ += t * step.constant;
  moved();
  if (found->kink) {
    const std::size_t j = found->kink->block;
    std::vector<std::size_t> walls = blocks_[j].walls;
    walls.push_back(static_cast<std::size_t>(p_.group[found->kink->row]));
    set_walls(j, std::move(walls));
  } else if (t >= line.most && line.most < 1.0) {
    std::vector<std::size_t> ended;
    for (std::size_t j = 0; j < m; ++j) {
      if (ends[j] <= t * (1.0 + 1e-12)) ended.push_back(j);
    }
    end(ended, false);
  }
  end_of_nothing();
  return {t, true, !found->kink && t < line.most};
}

void Descent::end_of_nothing() {
  const std::vector<double> all = norms();
  const double least = all.empty() ? 0.0 : kNothing * *std::max_element(all.begin(), all.end());
  std::vector<std::size_t> ended;
  for (std::size_t j = 0; j < all.size(); ++j) {
    if (all[j] <= least) ended.push_back(j);
  }
  end(ended, true);
}

// Leave out blocks that have come to nothing, where that does not raise the value. \param which  in increasing order
void Descent::end(std::span<const std::size_t> which, bool sure) {
  for (std::size_t e = which.size(); e-- > 0;) {
    const std::size_t j = which[e];
    const Block& b = blocks_[j];
    const double bias = p_.free_bias ? b.sign * phi(b.z.back()) : 0.0;  // it stays, as a constant
    if (!sure && dimension(b) > 1) {
      const std::vector<double> before = outputs();
      std::vector<double> after = before;
      add_outputs(b, after, -1.0);
      for (double& x : after) x += bias;
      if (value_of(after) - p_.beta * norm(b) > value_of(before)) continue;
    }
    constant_ += bias;
    remove(j);
  }
}

}  // namespace topes
