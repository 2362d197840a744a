// Local minimisation of (3) over all neurons at once: Newton's method on the faces they lie on, across the walls between.
// Twin: python/topes/reference/descent.py.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "topes/dense.hpp"
#include "topes/gram.hpp"
#include "topes/line_minimum.hpp"
#include "topes/progress.hpp"
#include "topes/smooth_loss.hpp"

namespace topes {

/// L(f, y) + beta * sum of ||z_j||, f = sum of sign_j * mean over the patches of phi(x_k.z_j) + constant.
struct DescentProblem {
  std::size_t n = 0;  ///< rows
  std::size_t r = 0;  ///< independent coordinates
  std::vector<double> X;               ///< n x r, by columns
  std::vector<std::int64_t> group;     ///< hyperplane of each row; -1 for a zero row
  std::vector<double> factor;          ///< x_i = factor_i * normal of its group
  std::vector<double> normals;         ///< unit normals, one hyperplane after the other
  double kappa = 0;                    ///< phi(x) = max(x, kappa x), kappa < 1
  std::size_t pool = 1;                ///< so many consecutive rows are one sample
  bool free_bias = false;              ///< the last coordinate costs nothing, and a constant is added to all outputs
  double beta = 1;
};

/// One run: blocks z_j = |w2_j| w1_j with the sign of their output weight, each on a face of the arrangement.
///
/// On a face the objective is smooth and convex in a block. Where a block meets a wall, the objective bends: downwards, and the block
/// goes on through it; or upwards, and the minimum along the line may be on the wall, which then becomes a constraint until its
/// multiplier says otherwise. What comes out is stationary on its faces, to the last digits.
class Descent {
 public:
  /// \throws InvalidArgument where shapes do not fit
  Descent(DescentProblem problem, SmoothLoss loss);
  Descent(const Descent&) = delete;  // the curvature looks at the problem
  Descent& operator=(const Descent&) = delete;

  std::size_t size() const { return blocks_.size(); }
  std::size_t dimension() const { return p_.r; }
  double constant() const { return constant_; }
  void set_constant(double constant) {
    constant_ = constant;
    moved();
  }
  std::span<const double> block(std::size_t j) const { return blocks_[j].z; }
  double sign(std::size_t j) const { return blocks_[j].sign; }
  /// The hyperplanes that block j is held by.
  std::span<const std::size_t> walls(std::size_t j) const { return blocks_[j].walls; }
  std::vector<double> outputs() const;
  double value() const;

  /// \param z  r numbers, of positive norm
  void enter(std::span<const double> z, double sign);

  /// Descend until no gradient exceeds `accuracy` as a share of beta, which is then the error of a block's price; or nothing descends.
  /// \param hook  called now and then; what it throws passes through
  /// \post the value is no higher than before, up to rounding
  /// \return the number of steps
  std::size_t minimise(double accuracy, double max_seconds, const ProgressHook& hook, std::size_t max_steps = kMostSteps);
  static constexpr std::size_t kMostSteps = 400;

 private:
  struct Block {
    std::vector<double> z;
    double sign = 1;
    std::vector<double> heights;        // x_k.z, zero on its walls
    std::vector<std::uint8_t> side;     // of each row: above its hyperplane
    std::vector<std::uint8_t> on_wall;
    std::vector<std::size_t> walls;     // independent hyperplanes that it lies on
    std::vector<double> flat;           // orthonormal basis of what is on all of them, one vector after the other
  };
  struct Step {
    std::vector<double> z;  // of all blocks
    double constant = 0;
    double unrest = 0;      // the largest gradient as a share of beta
  };
  struct Move {
    double t = 0;
    bool changed = false;
    bool smooth = false;  // a minimum where nothing bends or ends
  };

  std::size_t dimension(const Block& b) const { return b.flat.size() / p_.r; }
  const double* normal(std::size_t g) const { return p_.normals.data() + g * p_.r; }
  double phi(double x) const { return x >= 0 ? x : p_.kappa * x; }
  double gate(const Block& b, std::size_t k) const {
    return b.on_wall[k] ? 0.0 : b.side[k] ? b.sign : p_.kappa * b.sign;
  }
  double norm(const Block& b) const;
  std::vector<double> norms() const;
  double spread(std::size_t k) const { return v_[k / p_.pool] / static_cast<double>(p_.pool); }

  void set_heights(Block& b) const;
  void product(const double* z, double* out) const;
  void add_outputs(const Block& b, std::vector<double>& f, double times = 1.0) const;
  double value_of(const std::vector<double>& f) const;
  void set_side(std::size_t j, std::size_t k, bool above);
  void remove(std::size_t j);
  void look_around();
  void moved() { fresh_ = false; }

  // descent.cpp
  std::optional<Step> newton();
  Move go(const Step& step);
  void end(std::span<const std::size_t> which, bool sure);
  void end_of_nothing();
  // descent_walls.cpp
  void set_walls(std::size_t j, std::vector<std::size_t> walls);
  bool meet(const std::vector<std::uint8_t>& above, const std::vector<std::uint8_t>& on);
  bool release();
  bool release(std::size_t j, std::span<const double> bend);
  // descent_lengths.cpp
  void weigh();
  void merge();

  DescentProblem p_;
  SmoothLoss loss_;
  std::size_t samples_;
  std::vector<double> sizes_;  // of the rows
  std::vector<Block> blocks_;
  Gram gram_;
  std::size_t hyperplanes_;
  double constant_ = 0;
  double damping_ = 0;
  std::size_t penalised_;  // coordinates whose norm counts

  // Of one step, kept for their memory: the bends ahead, and of each block and row whether it goes above and starts on its hyperplane.
  std::vector<Bend> bends_;
  std::vector<std::uint8_t> above_;
  std::vector<std::uint8_t> on_;

  bool fresh_ = false;          // what follows belongs to the blocks as they are
  std::vector<double> f_;       // outputs
  std::vector<double> v_;       // gradient of the loss
  std::vector<double> slopes_;  // of the loss in each block, r numbers each, where activations stay
};

}  // namespace topes
