#include "topes/linalg.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "topes/error.hpp"

namespace topes {

namespace {

using Word = std::uint64_t;
__extension__ using Word2 = unsigned __int128;

// 2^61 - 1 first; the others serve only if the data defeat it.
constexpr std::array<Word, 4> kPrimes = {2305843009213693951ULL, 2305843009213693921ULL,
                                         2305843009213693907ULL, 2305843009213693723ULL};

Word multiply_mod(Word a, Word b, Word p) { return static_cast<Word>(static_cast<Word2>(a) * b % p); }

Word invert_mod(Word a, Word p) {
  Word result = 1;
  for (Word e = p - 2; e != 0; e >>= 1U, a = multiply_mod(a, a, p)) {
    if ((e & 1U) != 0) result = multiply_mod(result, a, p);
  }
  return result;
}

Word residue(const Integer& x, Word p) {
  const auto m = static_cast<Word>(Integer(abs(x) % p));
  return (x.sign() < 0 && m != 0) ? p - m : m;
}

// Greedy elimination modulo p: what it calls independent is independent over the rationals.
RankProfile rank_profile_mod(const IntegerMatrix& a, Word p) {
  RankProfile profile;
  std::vector<std::vector<Word>> basis;  // each has a 1 in its pivot column
  std::vector<Word> row(a.cols);
  const std::size_t most = std::min(a.rows, a.cols);
  for (std::size_t i = 0; i < a.rows && profile.rank() < most; ++i) {
    for (std::size_t j = 0; j < a.cols; ++j) row[j] = residue(a.row(i)[j], p);
    for (std::size_t b = 0; b < basis.size(); ++b) {
      const Word factor = row[profile.cols[b]];
      if (factor == 0) continue;
      for (std::size_t j = 0; j < a.cols; ++j) {
        const Word sub = multiply_mod(factor, basis[b][j], p);
        row[j] = row[j] >= sub ? row[j] - sub : row[j] + p - sub;
      }
    }
    const auto pivot = std::find_if(row.begin(), row.end(), [](Word x) { return x != 0; });
    if (pivot == row.end()) continue;
    const Word inverse = invert_mod(*pivot, p);
    profile.cols.push_back(static_cast<std::size_t>(pivot - row.begin()));
    for (Word& x : row) x = multiply_mod(x, inverse, p);
    basis.push_back(row);
    profile.rows.push_back(i);
  }
  return profile;
}

// Fraction-free Gauss-Jordan. Afterwards a(i, cols[i]) = pivot for every i and the pivot columns are zero elsewhere.
struct Echelon {
  IntegerMatrix a;
  std::vector<std::size_t> cols;
  Integer pivot = 1;
};

Echelon echelon(IntegerMatrix a) {
  Echelon e{std::move(a), {}, 1};
  std::size_t rank = 0;
  for (std::size_t col = 0; col < e.a.cols && rank < e.a.rows; ++col) {
    std::size_t source = rank;
    while (source < e.a.rows && e.a.row(source)[col].is_zero()) ++source;
    if (source == e.a.rows) continue;
    std::swap_ranges(e.a.row(source).begin(), e.a.row(source).end(), e.a.row(rank).begin());
    const Integer pivot = e.a.row(rank)[col];
    for (std::size_t i = 0; i < e.a.rows; ++i) {
      if (i == rank) continue;
      const Integer factor = e.a.row(i)[col];
      for (std::size_t j = 0; j < e.a.cols; ++j) {
        Integer value = pivot * e.a.row(i)[j];
        if (!factor.is_zero()) value -= factor * e.a.row(rank)[j];
        e.a.row(i)[j] = value / e.pivot;  // exact [Bareiss68]
      }
    }
    e.pivot = pivot;
    e.cols.push_back(col);
    ++rank;
  }
  return e;
}

}  // namespace

IntegerMatrix kernel(const IntegerMatrix& a) {
  const Echelon e = echelon(a);
  const std::size_t rank = e.cols.size();
  IntegerMatrix out(a.cols - rank, a.cols);
  std::size_t k = 0;
  for (std::size_t free = 0; free < a.cols; ++free) {
    if (std::find(e.cols.begin(), e.cols.end(), free) != e.cols.end()) continue;
    auto row = out.row(k++);
    row[free] = e.pivot;
    for (std::size_t i = 0; i < rank; ++i) row[e.cols[i]] = -e.a.row(i)[free];
    make_primitive(row);
  }
  return out;
}

std::vector<Integer> kernel_line(const IntegerMatrix& a) {
  IntegerMatrix k = kernel(a);
  if (k.rows != 1) throw InvalidArgument("kernel_line: the kernel must have dimension 1");
  return std::move(k.entries);
}

IntegerMatrix dual_basis(const IntegerMatrix& a) {
  IntegerMatrix out(a.rows, a.cols);
  for (std::size_t k = 0; k < a.rows; ++k) {
    IntegerMatrix others(a.rows - 1, a.cols);
    for (std::size_t i = 0, to = 0; i < a.rows; ++i) {
      if (i == k) continue;
      std::copy(a.row(i).begin(), a.row(i).end(), others.row(to++).begin());
    }
    const std::vector<Integer> line = kernel_line(others);
    const Sign side = sign_of(dot(a.row(k), line));
    if (side == Sign::zero) throw InvalidArgument("dual_basis: the matrix is singular");
    for (std::size_t j = 0; j < a.cols; ++j) out.row(k)[j] = side == Sign::positive ? line[j] : Integer(-line[j]);
  }
  return out;
}

RankProfile rank_profile(const IntegerMatrix& a) {
  for (const Word p : kPrimes) {
    RankProfile profile = rank_profile_mod(a, p);
    const auto finish = [&profile] {
      std::sort(profile.cols.begin(), profile.cols.end());
      return profile;
    };
    if (profile.rank() == std::min(a.rows, a.cols)) return finish();
    IntegerMatrix chosen(profile.rank(), a.cols);
    for (std::size_t i = 0; i < profile.rank(); ++i) {
      const auto from = a.row(profile.rows[i]);
      std::copy(from.begin(), from.end(), chosen.row(i).begin());
    }
    const IntegerMatrix annihilators = kernel(chosen);
    bool proved = true;
    for (std::size_t i = 0; i < a.rows && proved; ++i) {
      for (std::size_t k = 0; k < annihilators.rows && proved; ++k) {
        proved = dot(a.row(i), annihilators.row(k)).is_zero();
      }
    }
    if (proved) return finish();
  }
  // Four primes divided minors of the data: eliminate exactly, one row at a time.
  RankProfile profile;
  IntegerMatrix chosen(0, a.cols);
  for (std::size_t i = 0; i < a.rows; ++i) {
    IntegerMatrix next = chosen;
    next.entries.insert(next.entries.end(), a.row(i).begin(), a.row(i).end());
    ++next.rows;
    const Echelon e = echelon(next);
    if (e.cols.size() <= profile.rank()) continue;
    chosen = std::move(next);
    profile.rows.push_back(i);
    profile.cols = e.cols;
  }
  return profile;
}

}  // namespace topes
