// Simplicial cones that cover space exactly: a fan to begin with, halved at midpoints that doubles hold without rounding.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace topes {

/// Whose faces the fan follows: on each of its cones the functional `height` is at most the norm, and equal to it for `cross` and `cube`.
enum class Fan : std::uint8_t {
  cross,  ///< the 2^R orthants: ||w||_1 = height(w)
  cube,   ///< each side of the cube cut into simplices: ||w||_inf = height(w)
  prism,  ///< max(||others||_1, |last|) = height(w)
};

/// The cone of R independent vertices, all of height 1.
template <int R>
struct SimplicialCone {
  using Vector = std::array<double, R>;
  std::array<Vector, R> vertex;
  std::array<Vector, R> dual;  ///< dual[j].vertex[i] = 1 if i = j, else 0
  Vector height;
  std::array<std::int8_t, R> bits{};  ///< coordinates of vertex j are multiples of 2^-bits[j]
};

/// Vertices stay exact doubles up to this many bits.
inline constexpr int kMostBits = 50;

template <int R>
bool can_halve(const SimplicialCone<R>& cone, std::size_t a, std::size_t b) {
  return std::max(cone.bits[a], cone.bits[b]) < kMostBits;
}

/// Position of the edge of vertices i < j among all pairs in lexicographic order.
template <int R>
constexpr std::size_t edge_number(std::size_t i, std::size_t j) {
  return i * R - i * (i + 1) / 2 + (j - i - 1);
}

/// The half that keeps vertex `kept` of the edge and has the midpoint in place of vertex `moved`. For
/// w = sum of x_i vertex_i this doubles x_moved and takes it from x_kept. \pre can_halve(cone, kept, moved)
template <int R>
SimplicialCone<R> half(const SimplicialCone<R>& cone, std::size_t kept, std::size_t moved) {
  SimplicialCone<R> out = cone;
  out.bits[moved] = static_cast<std::int8_t>(std::max(cone.bits[kept], cone.bits[moved]) + 1);
  for (std::size_t i = 0; i < R; ++i) {
    out.vertex[moved][i] = 0.5 * (cone.vertex[kept][i] + cone.vertex[moved][i]);
    out.dual[moved][i] = 2.0 * cone.dual[moved][i];
    out.dual[kept][i] = cone.dual[kept][i] - cone.dual[moved][i];
  }
  return out;
}

namespace detail {

/// Cones of the positive orthant, by the coordinates that each vertex has: entries 0 and 1, so that all inverses are integers.
template <int R>
void add_cones(Fan fan, std::vector<SimplicialCone<R>>& out) {
  constexpr std::size_t n = R;
  const auto add = [&](const auto& entry, const auto& height) {
    SimplicialCone<R> cone{};
    for (std::size_t j = 0; j < n; ++j) {
      cone.height[j] = height(j) ? 1.0 : 0.0;
      for (std::size_t i = 0; i < n; ++i) cone.vertex[j][i] = entry(j, i) ? 1.0 : 0.0;
    }
    out.push_back(cone);
  };
  const std::size_t last = n - 1;
  switch (fan) {
    case Fan::cross:
      add([](std::size_t j, std::size_t i) { return i == j; }, [](std::size_t) { return true; });
      break;
    case Fan::cube: {  // the order of the coordinates by size, largest first
      std::array<std::size_t, n> order;
      for (std::size_t i = 0; i < n; ++i) order[i] = i;
      do {
        const auto rank = [&](std::size_t i) { return std::find(order.begin(), order.end(), i) - order.begin(); };
        add([&](std::size_t j, std::size_t i) { return rank(i) <= static_cast<std::ptrdiff_t>(j); },
            [&](std::size_t i) { return rank(i) == 0; });
      } while (std::next_permutation(order.begin(), order.end()));
      break;
    }
    case Fan::prism:
      // Below the lid: e_0 ... e_k, then e_k + last ... ; above it: last itself and all e_i + last.
      for (std::size_t k = 0; k < last; ++k) {
        add([&](std::size_t j, std::size_t i) { return j <= k ? i == j : i == j - 1 || i == last; },
            [&](std::size_t i) { return i != last; });
      }
      add([&](std::size_t j, std::size_t i) { return i == last || (j < last && i == j); }, [&](std::size_t i) { return i == last; });
      break;
  }
}

/// Rows of the inverse of the matrix of vertices, by Gauss-Jordan; its entries are small integers.
template <int R>
void set_dual(SimplicialCone<R>& cone) {
  constexpr std::size_t n = R;
  auto a = cone.vertex;
  for (std::size_t i = 0; i < n; ++i) {
    cone.dual[i].fill(0.0);
    cone.dual[i][i] = 1.0;
  }
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    while (a[pivot][c] == 0.0) ++pivot;
    std::swap(a[pivot], a[c]);
    std::swap(cone.dual[pivot], cone.dual[c]);
    const double p = a[c][c];
    for (std::size_t i = 0; i < n; ++i) {
      a[c][i] /= p;
      cone.dual[c][i] /= p;
    }
    for (std::size_t k = 0; k < n; ++k) {
      const double f = a[k][c];
      if (k == c || f == 0.0) continue;
      for (std::size_t i = 0; i < n; ++i) {
        a[k][i] -= f * a[c][i];
        cone.dual[k][i] -= f * cone.dual[c][i];
      }
    }
  }
  // vertex * inverse = 1, and column j of the inverse is what sum_i x_i vertex_i is read with
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) std::swap(cone.dual[i][j], cone.dual[j][i]);
  }
}

}  // namespace detail

/// Cones that together are all of R-space, with disjoint interiors.
template <int R>
std::vector<SimplicialCone<R>> make_fan(Fan fan) {
  std::vector<SimplicialCone<R>> positive;
  detail::add_cones<R>(fan, positive);
  std::vector<SimplicialCone<R>> out;
  for (std::uint32_t signs = 0; signs < (1U << R); ++signs) {
    for (SimplicialCone<R> cone : positive) {
      for (std::size_t i = 0; i < R; ++i) {
        if ((signs >> i & 1U) == 0) continue;
        cone.height[i] = -cone.height[i];
        for (auto& v : cone.vertex) v[i] = v[i] == 0.0 ? 0.0 : -v[i];
      }
      detail::set_dual(cone);
      out.push_back(cone);
    }
  }
  return out;
}

}  // namespace topes
