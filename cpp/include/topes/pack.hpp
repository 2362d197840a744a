// Two doubles at a time: what every processor of the kind has, written once.
#pragma once

#include <cstddef>
#include <cstring>

namespace topes {

using Pack = double __attribute__((vector_size(2 * sizeof(double))));
inline constexpr std::size_t kPack = 2;

inline Pack load(const double* x) {
  Pack p;
  std::memcpy(&p, x, sizeof p);
  return p;
}
inline void store(double* x, Pack p) { std::memcpy(x, &p, sizeof p); }
inline Pack min(Pack a, Pack b) { return a < b ? a : b; }
inline Pack max(Pack a, Pack b) { return a > b ? a : b; }
inline double sum(Pack p) { return p[0] + p[1]; }

}  // namespace topes
