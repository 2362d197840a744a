#include "check.hpp"
#include "topes/error.hpp"
#include "topes/linalg.hpp"

using namespace topes;
using namespace topes::test;

TEST(doubles_are_the_dyadic_rationals_they_are) {
  const std::vector<double> x = {0.5, 0.75, 0x1p-1074, 0x1p1000};
  const IntegerMatrix m = integers_from_doubles(x, 2, 2);
  CHECK(m.row(0)[0] * 3 == m.row(0)[1] * 2);
  CHECK(m.row(1)[1] == m.row(1)[0] << 2074);
}

TEST(bytes_are_two_s_complement) {
  const std::vector<std::uint8_t> bytes = {0xff, 0xff, 0x01, 0x00, 0x00, 0x80};
  const IntegerMatrix m = integers_from_bytes(bytes, 1, 3, 2);
  CHECK(m.row(0)[0] == -1 && m.row(0)[1] == 1 && m.row(0)[2] == -32768);
}

TEST(rounding_to_double_is_within_half_an_ulp_or_so) {
  const Integer x = (Integer(1) << 200) + 1;
  CHECK(to_double(x) == 0x1p200);
  CHECK(to_double(-x, -200) == -1.0);
  CHECK(to_double(Integer(0)) == 0.0);
}

TEST(rank_of_matrices_that_defeat_the_first_prime) {
  const Integer p = (Integer(1) << 61) - 1;
  IntegerMatrix m(2, 2);
  m.row(0)[0] = p;
  m.row(1)[1] = 1;
  CHECK(rank_profile(m).rank() == 2);
  CHECK(rank_profile(integers({{1, 2, 3}, {2, 4, 6}, {1, 0, 0}})).rank() == 2);
  CHECK(rank_profile(integers({{0, 0}, {0, 0}})).rank() == 0);
}

TEST(kernel_is_orthogonal) {
  const IntegerMatrix m = integers({{3, 1, 4, 1}, {5, 9, 2, 6}});
  const IntegerMatrix k = kernel(m);
  CHECK(k.rows == 2);
  for (std::size_t i = 0; i < k.rows; ++i) {
    for (std::size_t r = 0; r < m.rows; ++r) CHECK(dot(k.row(i), m.row(r)) == 0);
  }
  CHECK_THROWS(kernel_line(m), InvalidArgument);
}

TEST(dual_basis_is_positive_on_its_own_row_only) {
  const IntegerMatrix m = integers({{2, 1, 0}, {0, 1, 1}, {1, 0, 3}});
  const IntegerMatrix dual = dual_basis(m);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) CHECK(i == j ? dot(dual.row(i), m.row(j)) > 0 : dot(dual.row(i), m.row(j)) == 0);
  }
}
