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

/// Cones that together are all of R-space, with disjoint interiors.
template <int R>
std::vector<SimplicialCone<R>> make_fan(Fan fan) {
  std::vector<SimplicialCone<R>> out;
  for (std::uint32_t signs = 0; signs < (1U << R); ++signs) {
    typename SimplicialCone<R>::Vector s;
    for (std::size_t i = 0; i < R; ++i) s[i] = (signs >> i & 1U) != 0 ? -1.0 : 1.0;
    std::array<std::size_t, R> order;  // of the coordinates by size, largest first
    for (std::size_t i = 0; i < R; ++i) order[i] = i;
    for (bool more = true; more;) {
      SimplicialCone<R> cone{};
      if (fan == Fan::cross) {
        cone.height = s;
        for (std::size_t i = 0; i < R; ++i) cone.vertex[i][i] = cone.dual[i][i] = s[i];
        more = false;
      } else {
        cone.height[order[0]] = s[order[0]];
        for (std::size_t j = 0; j < R; ++j) {
          for (std::size_t i = 0; i <= j; ++i) cone.vertex[j][order[i]] = s[order[i]];
          cone.dual[j][order[j]] = s[order[j]];
          if (j + 1 < R) cone.dual[j][order[j + 1]] = -s[order[j + 1]];
        }
        more = std::next_permutation(order.begin(), order.end());
      }
      out.push_back(cone);
    }
  }
  return out;
}

}  // namespace topes
