#include <array>
#include <cstring>

#include "topes/count.hpp"
#include "topes/error.hpp"
#include "topes/held.hpp"

namespace topes {

namespace {

// Walks the new tree beside the old one. Without the new hyperplane, which stands last in every conflict list, the two are
// the same; where it is not on the list, so are the subtrees.
class InsertVisitor {
 public:
  static constexpr bool kNeedsSigns = true;
  static constexpr bool kNeedsCones = false;
  static constexpr bool kCountsOnly = false;

  InsertVisitor(const Arrangement& to, const HeldCells& old, const PatternBits& bits, Control& control)
      : to_(to),
        old_(old),
        bits_(bits),
        control_(control),
        column_(to.n_rows() - 1),
        added_(static_cast<std::uint32_t>(to.size() - 1)),
        copied_from_(column_),
        held_{RowBlocks(packed_bytes(to.n_rows())), {}, {}} {
    const std::int64_t h = to.hyperplane_of(column_);
    if (h >= 0 && to.representative(static_cast<std::size_t>(h)) != column_) {
      copied_from_ = to.representative(static_cast<std::size_t>(h));
      copied_flipped_ = to.orientation(copied_from_) != to.orientation(column_);
    }
  }

  bool enter(const Node& node) {
    if (node.list[node.n_list - 1] != added_) {
      copy_subtree();
      return false;
    }
    held_.shape.push(true);
    if (node.n_list == 1) {
      pair_ = 2;  // a cell of the old arrangement, cut in two
    } else {
      ++at_;
    }
    return true;
  }

  void leaf(const Node&) {
    if (pair_ == 0) {
      copy_subtree();
      return;
    }
    held_.shape.push(false);
    copy_row();
    if (--pair_ == 0) {
      ++at_;
      ++old_row_;
    }
    report();
  }

  void copy_everything() {
    while (at_ < old_.shape.size()) copy_subtree();
  }
  HeldCells finish() {
    control_.add_cells((held_.rows.size() - reported_) * cells_per_leaf(to_));
    return std::move(held_);
  }

 private:
  void copy_subtree() {
    const std::uint64_t end = old_.shape.subtree_end(at_);
    held_.shape.append(old_.shape, at_, end);
    for (const std::uint64_t n = old_row_ + (end - at_ + 1) / 2; old_row_ < n; ++old_row_) copy_row();
    at_ = end;
    report();
  }
  void copy_row() {
    if (run_.empty() || old_row_ >= run_first_ + run_.size() / old_.rows.stride()) next_run();
    std::uint8_t* row = held_.rows.push();
    const std::size_t stride = old_.rows.stride();
    const std::size_t last = column_ / 8;
    if (stride > 0) std::memcpy(row, run_.data() + (old_row_ - run_first_) * stride, stride);
    if (last == stride) row[last] = 0;
    const auto bit = [row](std::size_t i) { return ((row[i / 8] >> (i % 8)) & 1U) != 0; };
    const bool value = copied_from_ < column_ ? bit(copied_from_) != copied_flipped_ : bits_.test(column_);
    const auto mask = static_cast<std::uint8_t>(1U << (column_ % 8));
    row[last] = static_cast<std::uint8_t>(value ? row[last] | mask : row[last] & ~mask);
  }
  void next_run() {
    bool found = false;
    constexpr std::uint64_t kRun = 1 << 12;  // rows; a run ends with its block
    old_.rows.for_each_run(old_row_, std::min(old_row_ + kRun, old_.rows.size()),
                           [&](std::uint64_t first, std::span<const std::uint8_t> rows) {
                             if (found) return;
                             found = true;
                             run_first_ = first;
                             run_ = rows;
                           });
  }
  void report() {
    control_.poll();
    constexpr std::uint64_t kReportEvery = 1 << 12;
    if (held_.rows.size() - reported_ < kReportEvery) return;
    control_.add_cells((held_.rows.size() - reported_) * cells_per_leaf(to_));
    reported_ = held_.rows.size();
  }

  const Arrangement& to_;
  const HeldCells& old_;
  const PatternBits& bits_;
  Control& control_;
  std::size_t column_;
  std::uint32_t added_;
  std::size_t copied_from_;  // an older row on the same hyperplane; column_ itself if there is none
  bool copied_flipped_ = false;
  HeldCells held_;
  std::uint64_t at_ = 0;        // in the old shape
  std::uint64_t old_row_ = 0;
  int pair_ = 0;                // leaves to come that share one old row
  std::uint64_t run_first_ = 0;
  std::span<const std::uint8_t> run_;
  std::uint64_t reported_ = 0;
};

}  // namespace

HeldCells insert_row(const Arrangement& from, const HeldCells& held, const Arrangement& to, std::uint64_t max_cells,
                     const ProgressHook& hook) {
  if (to.n_rows() != from.n_rows() + 1 || to.rank() != from.rank()) {
    throw InvalidArgument("insert_row: the new arrangement must have one row more and the same rank");
  }
  Control control;
  control.max_cells = max_cells;
  HeldCells out;
  const auto work = [&]<int R>() {
    CellTree<R, InsertVisitor> tree(to, control);
    InsertVisitor visitor(to, held, tree.bits(), control);
    auto& splitter = tree.splitter();
    if (to.size() == from.size()) {  // a zero row, or one parallel to another: every cell stays whole
      const std::size_t column = to.n_rows() - 1;
      tree.bits() = to.initial_bits();
      if (to.hyperplane_of(column) >= 0) tree.bits().set(column, to.orientation(column) > 0);  // at infinity
      visitor.copy_everything();
    } else {
      for (std::uint64_t root = 0; root < std::uint64_t{1} << (to.rank() - 1); ++root) {
        splitter.rewind(Node{});
        tree.walk(splitter.root(root), visitor);
      }
    }
    out = visitor.finish();
    out.counters = splitter.counters();
  };
  run_tasks(std::array{1.0}, 1, control, hook, [&](std::size_t, unsigned) { dispatch_rank(to.rank(), work); });
  return out;
}

}  // namespace topes
