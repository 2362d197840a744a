// Plans of every fineness, walked task by task: what one walk finds, in the same order.
#include <memory>

#include "check.hpp"
#include "topes/cells.hpp"
#include "topes/count.hpp"
#include "topes/error.hpp"
#include "topes/solid_angle.hpp"

using namespace topes;
using namespace topes::test;

namespace {

constexpr std::uint64_t kAll = ~std::uint64_t{0};

Plan plan_of(const Arrangement& a, const PlanSize& size) {
  Control control;
  return make_plan(a, control, {}, size);
}

std::vector<std::uint8_t> streamed(const std::shared_ptr<const Arrangement>& a) {
  StreamOptions options;
  options.geometry = false;
  options.batch_size = kAll;
  CellStream stream(a, options);
  return stream.next({}).packed;
}

// Counts and patterns of ranges of `step` tasks.
void walk_in_ranges(const std::shared_ptr<const Arrangement>& a, const PlanSize& size, std::size_t step) {
  const Plan plan = plan_of(*a, size);
  std::uint64_t n_cells = 0;
  std::vector<std::uint8_t> packed;
  for (std::size_t first = 0; first < plan.tasks.size(); first += step) {
    const TaskRange range{first, std::min(first + step, plan.tasks.size())};
    const CountResult counted = count_tasks(*a, plan, range, kAll, {1, {}});
    const PackedCells part = pack_tasks(*a, plan, range, kAll, {2, {}});
    CHECK(part.n_cells == counted.n_cells);
    CHECK(part.packed.size() == part.n_cells * packed_bytes(a->n_rows()));
    n_cells += counted.n_cells;
    packed.insert(packed.end(), part.packed.begin(), part.packed.end());
  }
  CHECK(n_cells == count_cells(*a, kAll, {2, {}}).n_cells);
  CHECK(packed == streamed(a));
}

}  // namespace

TEST(any_cut_finds_the_same_cells_in_the_same_order) {
  for (const bool affine : {false, true}) {
    for (const auto& [n, r] : {std::pair<std::size_t, std::size_t>{9, 1}, {30, 2}, {40, 3}, {16, 4}, {13, 5}, {12, 9}}) {
      ArrangementOptions options;
      options.affine = affine;
      const auto a = std::make_shared<const Arrangement>(gaussian(n, r, n), options);
      for (const PlanSize& size : {PlanSize{}, PlanSize{1, 0}, PlanSize{7, 0}, PlanSize{100, 0}, PlanSize{1e9, 0}}) {
        walk_in_ranges(a, size, 1);
        walk_in_ranges(a, size, 5);
      }
    }
  }
}

TEST(a_finer_plan_has_more_tasks) {
  const Arrangement a(gaussian(60, 4, 3));
  const std::size_t coarse = plan_of(a, {8, 0}).tasks.size();
  const std::size_t fine = plan_of(a, {2048, 0}).tasks.size();
  CHECK(coarse >= 8);
  CHECK(fine > 20 * coarse);
  CHECK(plan_of(a, {2048, 1e18}).tasks.size() == 1);
  CHECK(plan_of(a, {2048, 0}).weights() == plan_of(a, {2048, 0}).weights());
}

// At high rank nearly all hyperplanes cut every cone, and bounds hardly fall from parent to child.
TEST(a_plan_of_high_rank_is_not_endless) {
  for (const auto& [n, r] : {std::pair<std::size_t, std::size_t>{1000, 8}, {400, 10}, {200, 5}, {300, 3}}) {
    const Arrangement a(gaussian(n, r, 2));
    const Plan plan = plan_of(a, {512, 0});
    CHECK(plan.tasks.size() >= 512);
    CHECK(plan.tasks.size() < 16 * 512);
  }
}

TEST(a_plan_hears_its_hook) {
  const Arrangement a(gaussian(1000, 8, 2));
  Control control;
  struct Stop {};
  const ProgressHook hook = [](double fraction, std::uint64_t cells) {
    CHECK(fraction == 0 && cells == 0);
    throw Stop{};
  };
  bool stopped = false;
  try {
    make_plan(a, control, hook, {1e9, 0});
  } catch (const Stop&) {
    stopped = true;
  }
  CHECK(stopped);
}

TEST(parts_of_angles_add_up_to_the_same_bits) {
  for (const auto& [n, r] : {std::pair<std::size_t, std::size_t>{20, 2}, {60, 3}, {24, 4}, {9, 6}}) {
    const Arrangement a(gaussian(n, r, 5));
    const Plan plan = plan_of(a, {});
    std::vector<AnglePart> parts;
    for (std::size_t task = 0; task < plan.tasks.size(); ++task) {
      AngleParts one = angle_parts(a, plan, {task, task + 1}, {});
      CHECK(one.parts.size() == 1);
      parts.push_back(std::move(one.parts[0]));
    }
    const AngleSummary whole = summarise_angles(a, {});
    const AngleSummary merged = summarise_parts(a, parts);
    CHECK(merged.n_cells == whole.n_cells);
    CHECK(merged.sum == whole.sum);
    CHECK(merged.error == whole.error);
    CHECK(merged.least.angle == whole.least.angle && merged.least.packed == whole.least.packed);
    CHECK(merged.greatest.angle == whole.greatest.angle && merged.greatest.packed == whole.greatest.packed);
    CHECK(merged.first_bin == whole.first_bin && merged.bins == whole.bins);
    CHECK(merged.counters.exact_cones == whole.counters.exact_cones);
  }
}

TEST(limits_of_a_range) {
  const Arrangement a(gaussian(30, 3, 1));
  const Plan plan = plan_of(a, {4, 0});
  const TaskRange all{0, plan.tasks.size()};
  const std::uint64_t n_cells = count_cells(a, kAll, {1, {}}).n_cells;
  CHECK(count_tasks(a, plan, all, n_cells, {1, {}}).n_cells == n_cells);
  CHECK(count_tasks(a, plan, {2, 2}, 0, {1, {}}).n_cells == 0);
  CHECK_THROWS(count_tasks(a, plan, all, n_cells - 1, {1, {}}), CellLimit);
  CHECK_THROWS(pack_tasks(a, plan, all, n_cells - 1, {1, {}}), CellLimit);
}
