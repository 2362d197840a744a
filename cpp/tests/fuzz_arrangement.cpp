// Random and adversarial bytes as matrices: counting, holding, streaming, deletion and restriction must agree.
//   fuzz_arrangement [--seconds N] [--seed S] [FILE...]     a FILE is read as bytes of doubles
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "check.hpp"
#include "topes/cells.hpp"
#include "topes/count.hpp"
#include "topes/held.hpp"
#include "topes/linalg.hpp"

using namespace topes;
using namespace topes::test;

namespace {

constexpr std::uint64_t kAll = ~std::uint64_t{0};

std::uint64_t count(const IntegerMatrix& rows) { return count_cells(Arrangement(rows), kAll, {1, {}}).n_cells; }

// Cells of A = cells of A without its last row + cells of the restriction to that row's hyperplane, where it is a new one.
std::uint64_t by_deletion_restriction(const IntegerMatrix& rows) {
  const std::size_t n = rows.rows - 1;
  IntegerMatrix deletion(n, rows.cols);
  std::copy_n(rows.entries.begin(), n * rows.cols, deletion.entries.begin());
  IntegerMatrix last(1, rows.cols);
  std::copy_n(rows.row(n).begin(), rows.cols, last.entries.begin());
  if (Arrangement(rows).size() == Arrangement(deletion).size()) return count(deletion);
  const IntegerMatrix basis = kernel(last);
  IntegerMatrix restriction(n, basis.rows);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < basis.rows; ++j) restriction.row(i)[j] = dot(rows.row(i), basis.row(j));
  }
  return count(deletion) + count(restriction);
}

void examine(const std::vector<double>& x, std::size_t n, std::size_t d, bool affine) {
  const IntegerMatrix rows = integers_from_doubles(x, n, d);
  ArrangementOptions options;
  options.affine = affine;
  const auto a = std::make_shared<const Arrangement>(rows, options);
  const std::uint64_t n_cells = count_cells(*a, kAll, {2, {}}).n_cells;
  const HeldCells held = hold_cells(*a, kAll, {2, {}});
  CHECK(held.rows.size() * cells_per_leaf(*a) == n_cells);
  std::uint64_t streamed = 0;
  CellStream stream(a, StreamOptions{64, true, 2, kAll});
  for (CellBatch b = stream.next({}); b.n_cells > 0; b = stream.next({})) {
    for (std::uint64_t k = 0; k < b.n_cells; k += 5) {
      CHECK(find_cell(*a, {b.packed.data() + k * packed_bytes(n), packed_bytes(n)}).has_value());
    }
    streamed += b.n_cells;
  }
  CHECK(streamed == n_cells);
  if (!affine && n > 0) CHECK(by_deletion_restriction(rows) == n_cells);
}

// Bytes as finite doubles; what is not finite becomes a small integer.
std::vector<double> doubles_from(const std::vector<std::uint8_t>& bytes) {
  std::vector<double> x(bytes.size() / 8);
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::memcpy(&x[i], bytes.data() + 8 * i, 8);
    if (!std::isfinite(x[i])) x[i] = bytes[8 * i] % 5 - 2;
  }
  return x;
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 5;
  std::uint64_t seed = 1;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--seconds" && i + 1 < argc) seconds = std::atof(argv[++i]);
    else if (argument == "--seed" && i + 1 < argc) seed = std::strtoull(argv[++i], nullptr, 10);
    else files.push_back(argument);
  }
  for (const std::string& name : files) {
    std::ifstream file(name, std::ios::binary);
    std::vector<double> x = doubles_from({std::istreambuf_iterator<char>(file), {}});
    for (std::size_t d = 1; d <= 4; ++d) examine(x, std::min<std::size_t>(x.size() / d, 10), d, false);
  }
  std::mt19937_64 random(seed);
  std::uint64_t inputs = 0;
  const auto start = std::chrono::steady_clock::now();
  while (failures() == 0 && std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds) {
    const std::size_t n = random() % 11;
    const std::size_t d = 1 + random() % 5;
    std::vector<double> x;
    if (random() % 3 == 0) {
      std::vector<std::uint8_t> bytes(8 * n * d);
      for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
      x = doubles_from(bytes);
    } else {
      x = adversarial(random, n, d);
    }
    const bool affine = random() % 3 == 0;
    examine(x, n, d, affine);
    ++inputs;
    if (failures() > 0) {
      std::printf("input %zu x %zu%s:", n, d, affine ? ", affine" : "");
      for (const double v : x) std::printf(" %a", v);
      std::printf("\n");
    }
  }
  std::printf("%llu inputs, %d failures\n", static_cast<unsigned long long>(inputs), failures());
  return failures() == 0 ? 0 : 1;
}
