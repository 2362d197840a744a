#include "topes/predicate.hpp"

namespace topes {

FilterBounds::FilterBounds(int rank, double row_error)
    : rank_(rank), row_error_(row_error), minor_error_(row_error), minor_size_(1.0) {
  // A k x k minor is a sum of k products of an entry and a (k-1) x (k-1) minor: k + 1 roundings along any path.
  for (int k = 2; k < rank; ++k) {
    const double size = minor_size_ + minor_error_;
    minor_error_ = kSlack * k * (minor_error_ + row_error_ * size + (k + 1.0) * kRoundoff * size) + kUnderflow;
    minor_size_ *= k;
  }
}

}  // namespace topes
