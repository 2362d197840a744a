// The curvature of the loss over all blocks, kept while activations change one by one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace topes {

/// M_ij = sum over samples s of w_s c_si c_sj', r x r for each pair of blocks, where c_sj is the mean of gate_kj x_k over the patches k
/// of sample s. A gate that changes costs one pass over the blocks; only new blocks and many changed weights make the sums anew.
class Gram {
 public:
  /// \param X  n x r, by columns; it must outlive this
  Gram(std::span<const double> X, std::size_t n, std::size_t r, std::size_t pool);

  std::size_t blocks() const { return gates_.size(); }
  std::span<const double> gates(std::size_t j) const { return gates_[j]; }
  void add(std::vector<double> gates);
  void remove(std::size_t j);
  void set(std::size_t k, std::size_t j, double gate);
  void set_weights(std::span<const double> weights);
  /// Makes what entry() and square() give; call it after changes.
  void update();

  /// Entry (a, b) of M_ij.
  double entry(std::size_t i, std::size_t j, std::size_t a, std::size_t b) const {
    return i <= j ? matrix_[(i * r_ + a) * width_ + j * r_ + b] : matrix_[(j * r_ + b) * width_ + i * r_ + a];
  }
  /// Entry (a, b) of M_jj with weights of one.
  double square(std::size_t j, std::size_t a, std::size_t b) const { return squares_[j][a * r_ + b]; }
  /// sum over samples of v_s c_sj, r numbers.
  void adjoint(std::span<const double> v, std::size_t j, double* out) const;

 private:
  void contribution(std::size_t sample, std::size_t j, double* c) const;
  void rebuild();

  std::span<const double> X_;
  std::size_t n_, r_, pool_;
  std::size_t width_ = 0;                   // of a row of matrix_; room for more blocks than there are
  std::vector<std::vector<double>> gates_;  // of each block, at each row
  std::vector<double> weights_;
  std::vector<double> matrix_;              // blocks i <= j
  std::vector<std::vector<double>> squares_;
  std::vector<double> c_;
  bool stale_ = true;
};

}  // namespace topes
