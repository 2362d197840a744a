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

  AnglePart total;
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
  const Plan plan = make_plan(a, control, options.walk.hook);
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

AngleParts angle_parts(const Arrangement& a, const Plan& plan, TaskRange range, const AngleOptions& options) {
  require_central(a);
  Control control;
  control.max_cells = options.max_cells;
  AngleParts out;
  out.parts.resize(range.last - range.first);
  const AngleRules rules(a, options.n_points, options.seed);
  const std::size_t stride = packed_bytes(a.n_rows());
  dispatch_rank(a.rank(), [&]<int R>() {
    out.counters = walk_tasks<R, SummaryVisitor<R>>(
        a, plan, range, control, options.walk,
        [&](std::size_t, auto& tree) { return SummaryVisitor<R>(a, rules, tree, control, stride); },
        [&](std::size_t task, SummaryVisitor<R>& visitor) {
          visitor.report();
          visitor.total.n_exact = visitor.angle.n_exact();
          out.parts[task - range.first] = std::move(visitor.total);
        });
  });
  return out;
}

AngleSummary summarise_parts(const Arrangement& a, std::span<const AnglePart> parts) {
  AnglePart total;
  for (const AnglePart& part : parts) total.add(part);
  AngleSummary out;
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

AngleSummary summarise_angles(const Arrangement& a, const AngleOptions& options) {
  require_central(a);
  Control control;
  control.max_cells = options.max_cells;
  if (a.rank() <= 1) {
    control.add_cells(cells_per_leaf(a));
    AnglePart only;
    only.least = only.greatest = elementary(a);
    only.n = 1;
    only.sum.add(only.least.angle);
    only.count(bin_of(only.least.angle), 1);
    return summarise_parts(a, {&only, 1});
  }
  const Plan plan = make_plan(a, control, options.walk.hook);
  const AngleParts found = angle_parts(a, plan, {0, plan.tasks.size()}, options);
  AngleSummary out = summarise_parts(a, found.parts);
  out.counters.predicates = plan.counters;
  out.counters.predicates += found.counters;
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
