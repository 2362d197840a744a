// The visitor that writes a cell and its geometry into a batch.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "topes/cells.hpp"
#include "topes/count.hpp"

namespace topes {

/// Rows that name the facets of a cone, ascending; the hyperplane at infinity has no name.
inline void facets_of(const Arrangement& a, const Cone& cone, std::vector<std::int64_t>& out) {
  const std::size_t begin = out.size();
  for_each_slot(cone.used, cone.words, [&](std::uint32_t slot) {
    const std::uint32_t h = cone.slots[slot].index();
    if (!(a.affine() && h == 0)) out.push_back(static_cast<std::int64_t>(a.representative(h)));
  });
  std::sort(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end());
}

/// \tparam Geometry  false for packed patterns only
template <int R, bool Geometry, class Flush>
class CellWriter {
 public:
  static constexpr bool kNeedsSigns = true;
  static constexpr bool kNeedsCones = Geometry;
  static constexpr bool kCountsOnly = false;

  CellWriter(const Arrangement& a, CellTree<R, CellWriter>& tree, Flush flush)
      : a_(a), tree_(tree), flush_(std::move(flush)), stride_(packed_bytes(a.n_rows())), coordinates_(a.n_columns()) {}

  bool enter(const Node&) const { return true; }
  void leaf(const Node& node) {
    const std::uint8_t* bits = tree_.bits().data();
    batch_.packed.insert(batch_.packed.end(), bits, bits + stride_);
    if constexpr (Geometry) write_geometry(node.cone);
    ++batch_.n_cells;
    if (!a_.affine()) write_antipode();
    constexpr std::uint64_t kChunkBytes = 1 << 18;
    if (batch_.n_cells % 64 == 0 && batch_.bytes() >= kChunkBytes) flush();
  }
  void flush() {
    if (batch_.n_cells > 0) flush_(std::move(batch_));
    batch_ = CellBatch{};
  }

 private:
  void write_geometry(const Cone& cone) {
    facets_of(a_, cone, batch_.facets);
    batch_.facet_indptr.push_back(static_cast<std::int64_t>(batch_.facets.size()));
    const std::size_t n_out = a_.n_columns() - (a_.affine() ? 1 : 0);
    const std::size_t at = batch_.witnesses.size();
    batch_.witnesses.resize(at + n_out, 0.0);
    double* witness = batch_.witnesses.data() + at;
    bool bounded = a_.affine() && static_cast<std::size_t>(a_.rank()) == a_.n_columns();
    double n_vertices = 0;
    for (std::uint32_t k = 0; k < cone.n_rays; ++k) {
      const bool vertex = a_.affine() && tree_.splitter().sign_at(cone, k, 0) > 0;
      bounded &= vertex;
      n_vertices += vertex ? 1 : 0;
      write_ray(cone.rays[k], vertex);
    }
    // A central cell holds the sum of its rays; an affine one the mean of its vertices plus its directions.
    const double* rays = batch_.rays.data() + batch_.rays.size() - cone.n_rays * a_.n_columns();
    for (std::uint32_t k = 0; k < cone.n_rays; ++k, rays += a_.n_columns()) {
      const double weight = a_.affine() && rays[n_out] != 0 ? 1.0 / n_vertices : 1.0;
      for (std::size_t j = 0; j < n_out; ++j) witness[j] += weight * rays[j];
    }
    batch_.ray_indptr.push_back(batch_.ray_indptr.back() + cone.n_rays);
    batch_.bounded.push_back(bounded ? 1 : 0);
  }

  // A direction is scaled to largest entry 1 in the coordinates of the walk, a vertex to last coordinate 1.
  void write_ray(const Ray* ray, bool vertex) {
    const double* c = ray->coordinates();
    const auto& pivots = a_.pivot_columns();
    const auto r = pivots.size();
    std::fill(coordinates_.begin(), coordinates_.end(), 0.0);
    double size = 0;
    for (std::size_t j = 0; j < r; ++j) size = std::max(size, std::abs(c[j]));
    const double t = vertex ? c[r - 1] : size;
    const int shift = vertex ? a_.column_exponent(r - 1) : 0;
    for (std::size_t j = 0; j < r; ++j) {
      coordinates_[pivots[j]] = std::scalbn(c[j] / t, a_.column_exponent(j) - shift);
    }
    if (a_.affine()) coordinates_.back() = vertex ? 1.0 : 0.0;
    batch_.rays.insert(batch_.rays.end(), coordinates_.begin(), coordinates_.end());
  }

  void write_antipode() {
    const std::size_t row = batch_.packed.size() - stride_;
    const std::uint8_t* flips = a_.antipodal_flips().data();
    for (std::size_t b = 0; b < stride_; ++b) batch_.packed.push_back(batch_.packed[row + b] ^ flips[b]);
    ++batch_.n_cells;
    if constexpr (Geometry) {
      const auto repeat = [](auto& values, std::size_t n, auto map) {
        const std::size_t from = values.size() - n;
        for (std::size_t i = 0; i < n; ++i) values.push_back(map(values[from + i]));
      };
      const auto minus = [](double x) { return x == 0 ? 0.0 : -x; };
      const auto same = [](auto x) { return x; };
      const auto extend = [](std::vector<std::int64_t>& indptr) {
        const std::int64_t n = indptr.back() - indptr[indptr.size() - 2];
        indptr.push_back(indptr.back() + n);
        return static_cast<std::size_t>(n);
      };
      repeat(batch_.witnesses, a_.n_columns(), minus);
      repeat(batch_.facets, extend(batch_.facet_indptr), same);
      repeat(batch_.rays, extend(batch_.ray_indptr) * a_.n_columns(), minus);
      batch_.bounded.push_back(0);
    }
  }

  const Arrangement& a_;
  CellTree<R, CellWriter>& tree_;
  Flush flush_;
  std::size_t stride_;
  std::vector<double> coordinates_;
  CellBatch batch_;
};

}  // namespace topes
