#include "topes/solid_angle.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "topes/cell_writer.hpp"
#include "topes/count.hpp"
#include "topes/error.hpp"
#include "topes/solid_angle_cone.hpp"

namespace topes {

namespace {

constexpr std::uint64_t kReportEvery = 1 << 10;

// Keeps the rounding errors of a long sum [Neumaier74].
class Sum {
 public:
  void add(double x) {
    const double t = high_ + x;
    low_ += std::abs(high_) >= std::abs(x) ? (high_ - t) + x : (x - t) + high_;
    high_ = t;
  }
  void add(const Sum& o) {
    add(o.high_);
    add(o.low_);
  }
  double value() const { return high_ + low_; }

 private:
  double high_ = 0;
  double low_ = 0;
};

// One cell of each antipodal pair is measured; `found` gets its angle.
template <int R, class Derived>
struct AngleVisitor {
  static constexpr bool kNeedsCones = true;
  static constexpr bool kCountsOnly = false;

  AngleVisitor(const Arrangement& a, const AngleRules& rules, ConeSplitter<R>& splitter, Control& control)
      : angle(a, rules, splitter, control), control_(control) {}

  bool enter(const Node&) const { return true; }
  void leaf(const Node& node) {
    static_cast<Derived*>(this)->found(angle(node.cone));
    if (++pending_ == kReportEvery) report();
  }
  void report() {
    control_.add_cells(2 * pending_);
    pending_ = 0;
  }

  CellAngle<R> angle;

 private:
  Control& control_;
  std::uint64_t pending_ = 0;
};

struct Listed {
  std::vector<double> angles, errors;
  std::uint64_t n_exact = 0;
};

template <int R>
struct ListVisitor : AngleVisitor<R, ListVisitor<R>> {
  static constexpr bool kNeedsSigns = false;
  using AngleVisitor<R, ListVisitor<R>>::AngleVisitor;
  Listed list;
  void found(const Measured& m) {
    list.angles.push_back(m.value);
    list.errors.push_back(m.error);
  }
};

struct Summed {
  Sum sum, error;
  std::uint64_t n = 0;
  std::uint64_t n_exact = 0;
  AngledCell least{INFINITY, 0, {}};
  AngledCell greatest{-1, 0, {}};
  std::int64_t first_bin = 0;
  std::vector<std::int64_t> bins;

  void count(std::int64_t bin, std::int64_t times) {
    if (bins.empty()) first_bin = bin;
    if (bin < first_bin) {
      bins.insert(bins.begin(), static_cast<std::size_t>(first_bin - bin), 0);
      first_bin = bin;
    }
    const auto at = static_cast<std::size_t>(bin - first_bin);
    if (at >= bins.size()) bins.resize(at + 1, 0);
    bins[at] += times;
  }
  void add(const Summed& o) {
    sum.add(o.sum);
    error.add(o.error);
    n += o.n;
    n_exact += o.n_exact;
    if (o.least.angle < least.angle) least = o.least;
    if (o.greatest.angle > greatest.angle) greatest = o.greatest;
    for (std::size_t k = 0; k < o.bins.size(); ++k) count(o.first_bin + static_cast<std::int64_t>(k), o.bins[k]);
  }
};

std::int64_t bin_of(double angle) {
  const double smallest = std::numeric_limits<double>::denorm_min();
  return static_cast<std::int64_t>(std::floor(AngleSummary::kBinsPerDecade * std::log10(std::max(angle, smallest))));
}

template <int R>
struct SummaryVisitor : AngleVisitor<R, SummaryVisitor<R>> {
  static constexpr bool kNeedsSigns = true;
  SummaryVisitor(const Arrangement& a, const AngleRules& rules, CellTree<R, SummaryVisitor>& tree, Control& control,
                 std::size_t stride)
      : AngleVisitor<R, SummaryVisitor<R>>(a, rules, tree.splitter(), control), bits_(tree.bits()), stride_(stride) {}

  Summed total;
  void found(const Measured& m) {
    total.sum.add(m.value);
    total.error.add(m.error);
    ++total.n;
    total.count(bin_of(m.value), 1);
    if (m.value < total.least.angle) keep(m, total.least);
    if (m.value > total.greatest.angle) keep(m, total.greatest);
  }

 private:
  void keep(const Measured& m, AngledCell& cell) const {
    cell.angle = m.value;
    cell.error = m.error;
    cell.packed.assign(bits_.data(), bits_.data() + stride_);
  }
  const PatternBits& bits_;
  std::size_t stride_;
};

void require_central(const Arrangement& a) {
  if (a.affine()) throw InvalidArgument("solid angles need a central arrangement");
}

std::vector<std::uint8_t> packed_bits(const Arrangement& a, const PatternBits& bits) {
  return {bits.data(), bits.data() + packed_bytes(a.n_rows())};
}

// Rank 0 and 1: the whole space, or its halves. The positive side of hyperplane 0 comes first.
AngledCell elementary(const Arrangement& a) {
  if (a.rank() == 0) return {1, 0, packed_bits(a, a.initial_bits())};
  PatternBits bits = a.initial_bits();
  for (const SignedIndex row : a.group(0)) bits.set(row.index(), !row.negative());
  return {0.5, 0, packed_bits(a, bits)};
}

}  // namespace

SolidAngles solid_angles(const Arrangement& a, const AngleOptions& options) {
  require_central(a);
  Control control;
  control.max_cells = options.max_cells;
  SolidAngles out;
  if (a.rank() <= 1) {
    control.add_cells(cells_per_leaf(a));
    out.angles.assign(cells_per_leaf(a), elementary(a).angle);
    out.errors.assign(cells_per_leaf(a), 0.0);
    return out;
  }
  const AngleRules rules(a, options.n_points, options.seed);
  const Plan plan = make_plan(a, control);
  std::vector<Listed> parts(plan.tasks.size());
  dispatch_rank(a.rank(), [&]<int R>() {
    out.counters.predicates = walk_plan<R, ListVisitor<R>>(
        a, plan, control, options.walk, [&](std::size_t, auto& tree) { return ListVisitor<R>(a, rules, tree.splitter(), control); },
        [&](std::size_t task, ListVisitor<R>& visitor) {
          visitor.report();
          visitor.list.n_exact = visitor.angle.n_exact();
          parts[task] = std::move(visitor.list);
        });
  });
  std::size_t n = 0;
  for (const Listed& part : parts) n += part.angles.size();
  out.angles.reserve(2 * n);
  out.errors.reserve(2 * n);
  for (Listed& part : parts) {
    for (std::size_t k = 0; k < part.angles.size(); ++k) {
      out.angles.insert(out.angles.end(), 2, part.angles[k]);
      out.errors.insert(out.errors.end(), 2, part.errors[k]);
    }
    out.counters.exact_cones += part.n_exact;
    part = {};
  }
  return out;
}

AngleSummary summarise_angles(const Arrangement& a, const AngleOptions& options) {
  require_central(a);
  Control control;
  control.max_cells = options.max_cells;
  AngleSummary out;
  Summed total;
  if (a.rank() <= 1) {
    control.add_cells(cells_per_leaf(a));
    total.least = total.greatest = elementary(a);
    total.n = 1;
    total.sum.add(total.least.angle);
    total.count(bin_of(total.least.angle), 1);
  } else {
    const AngleRules rules(a, options.n_points, options.seed);
    const Plan plan = make_plan(a, control);
    std::vector<Summed> parts(plan.tasks.size());
    const std::size_t stride = packed_bytes(a.n_rows());
    dispatch_rank(a.rank(), [&]<int R>() {
      out.counters.predicates = walk_plan<R, SummaryVisitor<R>>(
          a, plan, control, options.walk,
          [&](std::size_t, auto& tree) { return SummaryVisitor<R>(a, rules, tree, control, stride); },
          [&](std::size_t task, SummaryVisitor<R>& visitor) {
            visitor.report();
            visitor.total.n_exact = visitor.angle.n_exact();
            parts[task] = std::move(visitor.total);
          });
    });
    for (const Summed& part : parts) total.add(part);
  }
  const auto per_leaf = cells_per_leaf(a);
  const auto times = static_cast<double>(per_leaf);
  out.n_cells = per_leaf * total.n;
  out.sum = times * total.sum.value();
  out.error = times * total.error.value() + static_cast<double>(8) * kRoundoff;
  out.least = std::move(total.least);
  out.greatest = std::move(total.greatest);
  out.first_bin = total.first_bin;
  out.bins = std::move(total.bins);
  for (std::int64_t& count : out.bins) count *= static_cast<std::int64_t>(per_leaf);
  out.counters.exact_cones = total.n_exact;
  return out;
}

std::optional<AngledCell> angle_of_cell(const Arrangement& a, std::span<const std::uint8_t> packed, const AngleOptions& options) {
  require_central(a);
  AngledCell out{0, 0, {packed.begin(), packed.end()}};
  std::optional<ExactCone> cone;
  // On a thread of its own, so that the hook is heard.
  Control control;
  run_tasks(std::array{1.0}, 1, control, options.walk.hook, [&](std::size_t, unsigned) {
    cone = find_cell(a, packed);
    if (!cone || a.rank() <= 1) return;
    std::vector<std::vector<Integer>> rays(cone->rays.rows);
    for (std::size_t k = 0; k < rays.size(); ++k) {
      for (const std::size_t j : a.pivot_columns()) rays[k].push_back(cone->rays.row(k)[j]);
    }
    std::vector<std::vector<std::uint32_t>> facets;
    for (const std::size_t row : cone->facets) {
      const auto normal = a.normal(static_cast<std::size_t>(a.hyperplane_of(row)));
      facets.emplace_back();
      for (std::uint32_t k = 0; k < rays.size(); ++k) {
        if (dot(normal, rays[k]).is_zero()) facets.back().push_back(k);
      }
    }
    const AngleRules rules(a, options.n_points, options.seed);
    const Measured m = ExactAngle(rules)(rays, facets, control);
    out.angle = m.value * rules.unit;
    out.error = m.error * rules.unit;
  });
  if (!cone) return std::nullopt;
  if (a.rank() <= 1) out.angle = elementary(a).angle;
  return out;
}

}  // namespace topes
