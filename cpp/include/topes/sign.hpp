// Signs, and sign vectors packed into bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace topes {

/// Side of a hyperplane: +1 where the normal's dot product is positive.
enum class Sign : std::int8_t { negative = -1, zero = 0, positive = 1 };

template <class T>
constexpr Sign sign_of(const T& x) {
  if (x > 0) return Sign::positive;
  if (x < 0) return Sign::negative;
  return Sign::zero;
}

constexpr Sign operator-(Sign s) { return static_cast<Sign>(-static_cast<int>(s)); }

/// Number of bytes that hold `n` bits; bit i is bit i % 8 of byte i / 8.
constexpr std::size_t packed_bytes(std::size_t n) { return (n + 7) / 8; }

/// A hyperplane and a side of it in one word: what a cone stores for each facet.
class SignedIndex {
 public:
  constexpr SignedIndex() = default;
  constexpr SignedIndex(std::uint32_t index, bool negative)
      : code_((index << 1) | static_cast<std::uint32_t>(negative)) {}
  constexpr std::uint32_t index() const { return code_ >> 1; }
  constexpr bool negative() const { return (code_ & 1U) != 0; }
  constexpr int sign() const { return negative() ? -1 : 1; }
  constexpr bool operator==(const SignedIndex&) const = default;

 private:
  std::uint32_t code_ = 0;
};

/// Packed 0/1 vector: one bit per row of the data, 1 on the positive side and for zero rows.
class PatternBits {
 public:
  explicit PatternBits(std::size_t n = 0) : bytes_((n + 63) / 64 * 8, 0) {}
  void set(std::size_t i, bool value) {
    const auto mask = static_cast<std::uint8_t>(1U << (i & 7U));
    if (value) {
      bytes_[i >> 3] |= mask;
    } else {
      bytes_[i >> 3] &= static_cast<std::uint8_t>(~mask);
    }
  }
  bool test(std::size_t i) const { return ((bytes_[i >> 3] >> (i & 7U)) & 1U) != 0; }
  const std::uint8_t* data() const { return bytes_.data(); }
  std::uint8_t* data() { return bytes_.data(); }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// Write the n bits of each packed row as bytes: `positive` for 1, `negative` for 0.
/// \pre packed holds rows * packed_bytes(n) bytes, out rows * n.
void unpack_rows(std::span<const std::uint8_t> packed, std::size_t n, std::uint8_t positive,
                 std::uint8_t negative, std::span<std::uint8_t> out);

}  // namespace topes
