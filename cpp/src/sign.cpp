#include "topes/sign.hpp"

#include <array>
#include <cstring>

namespace topes {

void unpack_rows(std::span<const std::uint8_t> packed, std::size_t n, std::uint8_t positive,
                 std::uint8_t negative, std::span<std::uint8_t> out) {
  if (n == 0) return;
  std::array<std::array<std::uint8_t, 8>, 256> table;
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (unsigned k = 0; k < 8; ++k) table[byte][k] = ((byte >> k) & 1U) != 0 ? positive : negative;
  }
  const std::size_t stride = packed_bytes(n);
  const std::size_t rows = packed.size() / stride;
  const std::size_t whole = n / 8;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint8_t* from = packed.data() + i * stride;
    std::uint8_t* to = out.data() + i * n;
    for (std::size_t b = 0; b < whole; ++b) std::memcpy(to + 8 * b, table[from[b]].data(), 8);
    if (n % 8 != 0) std::memcpy(to + 8 * whole, table[from[whole]].data(), n % 8);
  }
}

}  // namespace topes
