#include "topes/held.hpp"

#include <algorithm>

#include "topes/count.hpp"

namespace topes {

namespace {

struct HoldVisitor {
  static constexpr bool kNeedsSigns = true;
  static constexpr bool kNeedsCones = false;
  static constexpr bool kCountsOnly = false;
  static constexpr std::uint64_t kReportEvery = 1 << 10;

  const PatternBits& bits;
  Control& control;
  std::uint64_t per_leaf;
  RowBlocks rows;
  TreeShape shape;
  std::uint64_t reported = 0;

  bool enter(const Node&) {
    shape.push(true);
    return true;
  }
  void leaf(const Node&) {
    shape.push(false);
    std::copy_n(bits.data(), rows.stride(), rows.push());
    if (rows.size() - reported == kReportEvery) report();
  }
  void report() {
    control.add_cells((rows.size() - reported) * per_leaf);
    reported = rows.size();
  }
};

}  // namespace

void RowBlocks::grow() {
  constexpr std::uint64_t kFirst = 1 << 12;   // bytes; a task may hold one cell
  constexpr std::uint64_t kLargest = 1 << 20;
  const std::uint64_t before = blocks_.empty() ? 0 : blocks_.back().capacity * stride_;
  const std::uint64_t bytes = std::clamp(2 * before, kFirst, kLargest);
  Block b;
  b.first = size_;
  b.capacity = std::max<std::uint64_t>(1, bytes / std::max<std::size_t>(stride_, 1));
  b.bytes.reset(new std::uint8_t[b.capacity * stride_]);
  blocks_.push_back(std::move(b));
}

void RowBlocks::append(RowBlocks&& other) {
  for (Block& b : other.blocks_) {
    b.first = size_;
    size_ += b.used;
    blocks_.push_back(std::move(b));
  }
  other = RowBlocks(stride_);
}

std::size_t RowBlocks::block_of(std::uint64_t k) const {
  const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), k,
                                      [](std::uint64_t value, const Block& b) { return value < b.first; });
  return static_cast<std::size_t>(after - blocks_.begin()) - (after == blocks_.begin() ? 0 : 1);
}

const std::uint8_t* RowBlocks::row(std::uint64_t k) const {
  const Block& b = blocks_[block_of(k)];
  return b.bytes.get() + stride_ * (k - b.first);
}

HeldCells hold_cells(const Arrangement& a, std::uint64_t max_cells, const WalkOptions& options) {
  Control control;
  control.max_cells = max_cells;
  HeldCells held{RowBlocks(packed_bytes(a.n_rows())), {}, {}};
  if (a.rank() == 0) {
    control.add_cells(1);
    held.shape.push(false);
    std::copy_n(a.initial_bits().data(), held.rows.stride(), held.rows.push());
    return held;
  }
  const Plan plan = make_plan(a, control, options.hook);
  std::vector<std::unique_ptr<HoldVisitor>> parts(plan.tasks.size());
  dispatch_rank(a.rank(), [&]<int R>() {
    held.counters = walk_plan<R, HoldVisitor>(
        a, plan, control, options,
        [&](std::size_t, auto& tree) {
          return HoldVisitor{tree.bits(), control, cells_per_leaf(a), RowBlocks(held.rows.stride()), {}};
        },
        [&](std::size_t task, HoldVisitor& visitor) {
          visitor.report();
          parts[task] = std::make_unique<HoldVisitor>(std::move(visitor));
        });
  });
  std::size_t task = 0;
  for (const Plan::Mark mark : plan.shape) {
    if (mark == Plan::Mark::internal) {
      held.shape.push(true);
      continue;
    }
    HoldVisitor& part = *parts[task];
    held.shape.append(part.shape, 0, part.shape.size());
    held.rows.append(std::move(part.rows));
    parts[task++].reset();
  }
  return held;
}

void unpack_cells(const Arrangement& a, const HeldCells& held, std::uint64_t first, std::uint64_t last,
                  std::uint8_t positive, std::uint8_t negative, std::uint8_t zero, std::span<std::uint8_t> out,
                  const WalkOptions& options) {
  const std::size_t n = a.n_rows();
  if (n == 0 || first >= last) return;
  const std::uint64_t per_leaf = cells_per_leaf(a);
  std::vector<std::size_t> zeros;
  for (std::size_t i = 0; i < n; ++i) {
    if (a.orientation(i) == 0) zeros.push_back(i);
  }
  const auto unpack = [&](std::uint64_t begin, std::uint64_t end) {  // cells, inside [first, last)
    const std::uint64_t leaf_end = (end + per_leaf - 1) / per_leaf;
    held.rows.for_each_run(begin / per_leaf, leaf_end, [&](std::uint64_t leaf, std::span<const std::uint8_t> rows) {
      for (std::size_t at = 0; at < rows.size(); at += held.rows.stride(), ++leaf) {
        const auto row = rows.subspan(at, held.rows.stride());
        for (std::uint64_t side = 0; side < per_leaf; ++side) {
          const std::uint64_t cell = leaf * per_leaf + side;
          if (cell < begin || cell >= end) continue;
          const auto to = out.subspan((cell - first) * n, n);
          unpack_rows(row, n, side == 0 ? positive : negative, side == 0 ? negative : positive, to);
          for (const std::size_t i : zeros) to[i] = zero;
        }
      }
    });
  };
  constexpr std::uint64_t kPieceBytes = 1 << 22;
  const std::uint64_t piece = std::max<std::uint64_t>(1, kPieceBytes / n);
  const std::vector<double> weights((last - first + piece - 1) / piece, 1.0);
  Control control;
  run_tasks(weights, options.n_threads, control, options.hook, [&](std::size_t task, unsigned) {
    const std::uint64_t begin = first + task * piece;
    unpack(begin, std::min(begin + piece, last));
  });
}

}  // namespace topes
