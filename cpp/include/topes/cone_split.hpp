// The step of the walk: split a cone by a hyperplane, and say which of the others still cut each half.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "topes/arrangement.hpp"
#include "topes/cone.hpp"
#include "topes/linalg.hpp"
#include "topes/progress.hpp"
#include "topes/verified_kernel.hpp"

namespace topes {

/// \tparam R  the rank if positive; 0 where it is known only at run time
template <int R>
class ConeSplitter {
 public:
  /// \param control  asked to stop between the parts of a large split
  ConeSplitter(const Arrangement& arrangement, const Control& control)
      : a_(arrangement),
        control_(control),
        r_(arrangement.rank()),
        stride_(arrangement.stride()),
        integer_(arrangement.arithmetic() == Arithmetic::integer),
        kernel_(R == 0 ? r_ : 1, arrangement.bounds().row_error()) {}

  Arena& arena() { return arena_; }
  const PredicateCounters& counters() const { return counters_; }

  /// Forget everything allocated since the node was made.
  void rewind(const Node& node) {
    arena_.reset(node.mark);
    n_exact_ = std::min(n_exact_, node.n_exact);
  }

  /// Cone number `index` of the 2^(r-1) that the basis makes on the positive side of its first hyperplane. Bit k - 1
  /// of the index, counted from the highest, is set on the negative side of hyperplane k.
  Node root(std::uint64_t index);

  /// Split the node by the first hyperplane of its conflict list. \pre node.n_list >= 1 and it has a cone.
  void split(const Node& node);

  /// After split(): the child on the given side. Positive and negative child share rays and may both be kept.
  /// \param with_cone  whether its rays and facets are wanted
  Node child(const Node& node, int side, bool with_cone);

  /// After split(): the number of hyperplanes that cut the child on the given side.
  std::uint32_t child_list_size(int side) const { return side > 0 ? n_pos_list_ : n_neg_list_; }

  /// Sign of hyperplane h at a ray of the cone.
  int sign_at(const Cone& cone, std::uint32_t k, std::uint32_t h) {
    ++counters_.signs;
    return sign(h, cone.rays[k], dot<R>(row(h), cone.rays[k]->coordinates(), r_),
                [&] { tight_of(cone, cone.mask(k)); });
  }

  /// Exact primitive coordinates of a ray of the node's cone.
  const std::vector<Integer>& exact_ray(const Cone& cone, std::uint32_t k) {
    return exact_ray(cone.rays[k], [&] { tight_of(cone, cone.mask(k)); });
  }

 private:
  int rank() const {
    if constexpr (R > 0) return R;
    return r_;
  }
  const double* row(std::uint32_t h) const { return a_.rounded() + h * stride_; }
  Ray* new_ray() {
    auto* ray = static_cast<Ray*>(arena_.bytes(sizeof(Ray) + sizeof(double) * static_cast<std::size_t>(rank())));
    ray->exact = -1;
    return ray;
  }

  // Sign of hyperplane h at the ray; `tight` collects the hyperplanes the ray lies on if exact arithmetic is needed.
  template <class Tight>
  int sign(std::uint32_t h, Ray* ray, double value, Tight&& tight) {
    if (value > ray->tolerance) return 1;
    if (value < -ray->tolerance) return -1;
    if (integer_) return 0;
    return exact_sign(h, ray, tight);
  }
  template <class Tight>
  int exact_sign(std::uint32_t h, Ray* ray, Tight&& tight);
  template <class Tight>
  const std::vector<Integer>& exact_ray(Ray* ray, Tight&& tight);
  void tight_of(const Cone& cone, const std::uint64_t* mask);
  void round_exact(Ray* ray, std::span<const Integer> exact);

  void classify_rays(const Node& node, std::uint32_t h);
  void cut_edges(const Node& node, std::uint32_t h);
  bool spans_edge(const Cone& cone, std::uint32_t u, std::uint32_t v, int n_common) const;
  Ray* cut_edge(const Cone& cone, std::uint32_t u, std::uint32_t v, std::uint32_t h, int n_common);
  bool ray_from_rows(const Cone& cone, std::uint32_t h, Ray* ray);
  bool orient(const Cone& cone, std::uint32_t u, std::uint32_t v, Ray* ray) const;
  void combine_integers(const Ray* u, double at_u, const Ray* v, double at_v, Ray* out) const;
  bool combine_rounded(const Ray* u, double at_u, const Ray* v, double at_v, double useful, Ray* out) const;
  void sort_list(const Node& node);
  int section_sign(const Node& node, std::uint32_t h, std::size_t k);

  const Arrangement& a_;
  const Control& control_;
  int r_;
  std::size_t stride_;
  bool integer_;
  VerifiedKernel kernel_;  // for ranks without code of their own
  std::vector<const double*> kernel_rows_;
  Arena arena_;
  PredicateCounters counters_;

  // State between split() and child().
  std::uint32_t split_by_ = 0;
  std::vector<double> values_;                    // of the splitting hyperplane at the rays
  std::vector<std::uint32_t> pos_, neg_, zero_;   // rays of the node by their side
  std::vector<Ray*> section_;                     // rays on the splitting hyperplane: new ones, then zero_
  std::vector<std::uint64_t> section_masks_;      // their facets among those of the node
  std::vector<std::uint64_t> common_;             // scratch
  std::size_t n_new_ = 0;
  std::uint32_t* pos_list_ = nullptr;
  std::uint32_t* neg_list_ = nullptr;
  SignedIndex* pos_decided_ = nullptr;
  SignedIndex* neg_decided_ = nullptr;
  std::uint32_t n_pos_list_ = 0, n_neg_list_ = 0, n_pos_decided_ = 0, n_neg_decided_ = 0;

  // Exact rays, a stack beside the arena. An entry is valid for the ray that owns it.
  struct ExactRay {
    const Ray* owner = nullptr;
    std::vector<Integer> coordinates;
  };
  std::vector<ExactRay> exact_;
  std::size_t n_exact_ = 0;
  std::vector<std::uint32_t> tight_;   // hyperplanes of the ray in question
  SignedIndex off_;                    // a facet of the cone the ray is not on
};

}  // namespace topes

#include "topes/cone_rays_impl.hpp"
#include "topes/cone_split_impl.hpp"
