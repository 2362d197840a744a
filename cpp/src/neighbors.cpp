#include "topes/neighbors.hpp"

#include <algorithm>
#include <bit>

#include "topes/cell_writer.hpp"
#include "topes/error.hpp"
#include "topes/random.hpp"

namespace topes {

namespace {

struct FacetVisitor {
  static constexpr bool kNeedsSigns = false;
  static constexpr bool kNeedsCones = true;
  static constexpr bool kCountsOnly = false;

  const Arrangement& a;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> facets;

  bool enter(const Node&) const { return true; }
  void leaf(const Node& node) {
    const std::size_t before = facets.size();
    facets_of(a, node.cone, facets);
    sizes.push_back(static_cast<std::int64_t>(facets.size() - before));
  }
};

// XOR of random words over the bits that are set [Zobrist70]: flipping a bit flips its word.
class PatternHash {
 public:
  explicit PatternHash(std::size_t n) : words_((n + 7) / 8 * 8), table_((n + 7) / 8 * 256) {
    SplitMix64 random(0x70617474ULL);
    for (std::uint64_t& w : words_) w = random();
    for (std::size_t b = 0; b < words_.size() / 8; ++b) {
      for (std::size_t value = 1; value < 256; ++value) {
        const auto low = static_cast<std::size_t>(std::countr_zero(value));
        table_[256 * b + value] = table_[256 * b + (value & (value - 1))] ^ words_[8 * b + low];
      }
    }
  }
  std::uint64_t operator()(const std::uint8_t* row) const {
    std::uint64_t h = 0;
    for (std::size_t b = 0; b < words_.size() / 8; ++b) h ^= table_[256 * b + row[b]];
    return h;
  }
  std::uint64_t word(std::size_t i) const { return words_[i]; }

 private:
  std::vector<std::uint64_t> words_, table_;
};

// Open addressing over the leaves.
class LeafTable {
 public:
  LeafTable(const RowBlocks& rows, const PatternHash& hash) : slots_(std::bit_ceil(2 * rows.size() + 1), kEmpty) {
    hashes_.reserve(rows.size());
    for (std::uint64_t k = 0; k < rows.size(); ++k) {
      hashes_.push_back(hash(rows.row(k)));
      std::uint64_t at = hashes_[k] & (slots_.size() - 1);
      while (slots_[at] != kEmpty) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = k;
    }
  }
  std::uint64_t hash(std::uint64_t k) const { return hashes_[k]; }
  template <class Same>
  std::uint64_t find(std::uint64_t hash, Same&& same) const {
    for (std::uint64_t at = hash & (slots_.size() - 1); slots_[at] != kEmpty; at = (at + 1) & (slots_.size() - 1)) {
      if (hashes_[slots_[at]] == hash && same(slots_[at])) return slots_[at];
    }
    throw Error("a facet leads to no cell: the cells held are not those of the arrangement");
  }

 private:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};
  std::vector<std::uint64_t> slots_, hashes_;
};

}  // namespace

Neighbors find_neighbors(const Arrangement& a, const HeldCells& held, const WalkOptions& options) {
  Neighbors out;
  const std::uint64_t per_leaf = cells_per_leaf(a);
  if (a.rank() == 0) {
    out.indptr.push_back(0);
    return out;
  }
  Control control;
  const Plan plan = make_plan(a, control, options.hook);
  std::vector<std::unique_ptr<FacetVisitor>> parts(plan.tasks.size());
  dispatch_rank(a.rank(), [&]<int R>() {
    walk_plan<R, FacetVisitor>(
        a, plan, control, options, [&](std::size_t, auto&) { return FacetVisitor{a, {}, {}}; },
        [&](std::size_t task, FacetVisitor& v) { parts[task] = std::make_unique<FacetVisitor>(std::move(v)); });
  });
  const PatternHash hash(a.n_rows());
  const LeafTable table(held.rows, hash);
  std::vector<std::uint64_t> group_word(a.size(), 0);
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < a.n_rows(); ++i) {
    if (a.hyperplane_of(i) < 0) continue;
    group_word[static_cast<std::size_t>(a.hyperplane_of(i))] ^= hash.word(i);
    all ^= hash.word(i);
  }
  const std::size_t stride = held.rows.stride();
  std::vector<std::uint8_t> wanted(stride);
  std::uint64_t leaf = 0;
  const auto neighbor = [&](std::int64_t facet) {
    const auto h = static_cast<std::size_t>(a.hyperplane_of(static_cast<std::size_t>(facet)));
    std::copy_n(held.rows.row(leaf), stride, wanted.data());
    for (const SignedIndex row : a.group(h)) wanted[row.index() / 8] ^= static_cast<std::uint8_t>(1U << (row.index() % 8));
    std::uint64_t key = table.hash(leaf) ^ group_word[h];
    const bool other_side = !a.affine() && h == 0;  // leaves the half that is held: its antipode is there
    if (other_side) {
      for (std::size_t b = 0; b < stride; ++b) wanted[b] ^= a.antipodal_flips().data()[b];
      key ^= all;
    }
    const std::uint64_t k =
        table.find(key, [&](std::uint64_t c) { return std::equal(wanted.begin(), wanted.end(), held.rows.row(c)); });
    return static_cast<std::int64_t>(per_leaf * k + (other_side ? 1 : 0));
  };
  for (const auto& part : parts) {
    std::size_t at = 0;
    for (const std::int64_t size : part->sizes) {
      const std::size_t first = out.cells.size();
      for (std::int64_t k = 0; k < size; ++k) {
        out.facets.push_back(part->facets[at]);
        out.cells.push_back(neighbor(part->facets[at++]));
      }
      out.indptr.push_back(static_cast<std::int64_t>(out.cells.size()));
      if (per_leaf == 2) {
        for (std::size_t k = first; k < first + static_cast<std::size_t>(size); ++k) {
          out.facets.push_back(out.facets[k]);
          out.cells.push_back(out.cells[k] ^ 1);
        }
        out.indptr.push_back(static_cast<std::int64_t>(out.cells.size()));
      }
      if (++leaf % 1024 == 0) {
        control.poll();
        if (options.hook) options.hook(static_cast<double>(leaf) / static_cast<double>(held.rows.size()), leaf);
      }
    }
  }
  return out;
}

}  // namespace topes
