#include "topes/plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "topes/error.hpp"

namespace topes {

namespace {

// A task is split no further where its share is so many times less than what a task should weigh.
constexpr double kFinest = 8;

template <int R>
struct PartitionVisitor {
  static constexpr bool kNeedsSigns = true;
  static constexpr bool kNeedsCones = true;
  static constexpr bool kCountsOnly = false;

  CellTree<R, PartitionVisitor>& tree;
  Plan& plan;
  int rank;
  double limit;
  // Shares of the bound of a root: children part that of their parent as their own bounds are. At high rank nearly all
  // hyperplanes cut every cone, so bounds hardly fall from parent to child and would never be small enough.
  std::vector<double> waiting{};  // of the nodes still to come, the next one last
  double share = 0;               // of the node that was entered last

  bool enter(const Node& node) {
    share = waiting.back();
    waiting.pop_back();
    const double weight = most_cells(node.n_list, rank);
    if (weight <= limit || share <= limit / kFinest) {
      add(node, weight);
      return false;
    }
    plan.shape.push_back(Plan::Mark::internal);
    return true;
  }
  void split(std::uint32_t n_neg, std::uint32_t n_pos) {
    const double neg = most_cells(n_neg, rank);
    const double pos = most_cells(n_pos, rank);
    waiting.push_back(share * (neg / (neg + pos)));
    waiting.push_back(share * (pos / (neg + pos)));
  }
  void leaf(const Node& node) {
    waiting.pop_back();
    add(node, 1);
  }
  void add(const Node& node, double weight) {
    Task task;
    task.subtree = std::make_unique<Subtree>(save_subtree(node, tree.bits(), static_cast<std::size_t>(rank)));
    task.weight = weight;
    plan.tasks.push_back(std::move(task));
    plan.shape.push_back(Plan::Mark::task);
  }
};

void plan_root_ranges(Plan& plan, std::uint64_t n_roots, double n_tasks) {
  const std::uint64_t step = std::max<std::uint64_t>(1, n_roots / static_cast<std::uint64_t>(n_tasks));
  for (std::uint64_t first = 0; first < n_roots; first += step) {
    Task task;
    task.first_root = first;
    task.n_roots = std::min(step, n_roots - first);
    task.weight = static_cast<double>(task.n_roots);
    plan.tasks.push_back(std::move(task));
    plan.shape.push_back(Plan::Mark::task);
  }
}

template <int R>
void plan_subtrees(const Arrangement& a, Control& control, std::uint64_t n_roots, const PlanSize& size, Plan& plan) {
  using Visitor = PartitionVisitor<R>;
  CellTree<R, Visitor> tree(a, control);
  auto& splitter = tree.splitter();
  double total = 0;
  for (std::uint64_t root = 0; root < n_roots; ++root) {
    splitter.rewind(Node{});
    total += most_cells(splitter.root(root).n_list, a.rank());
  }
  Visitor visitor{tree, plan, a.rank(), std::max(total / size.n_tasks, size.one_task / 64)};
  for (std::uint64_t root = 0; root < n_roots; ++root) {
    splitter.rewind(Node{});
    const Node node = splitter.root(root);
    visitor.waiting.assign(1, most_cells(node.n_list, a.rank()));
    tree.walk(node, visitor);
  }
  plan.counters += splitter.counters();
}

}  // namespace

double most_cells(double k, int r) {
  double term = 1;
  double sum = 1;
  for (int i = 1; i < r && i <= k; ++i) {
    term *= (k - i + 1) / i;
    sum += term;
  }
  return sum;
}

Subtree save_subtree(const Node& node, const PatternBits& bits, std::size_t n_coordinates) {
  const Cone& cone = node.cone;
  Subtree out;
  out.n_slots = cone.n_slots;
  out.words = cone.words;
  out.n_coordinates = n_coordinates;
  out.rays.reserve(cone.n_rays * (n_coordinates + 2));
  for (std::uint32_t k = 0; k < cone.n_rays; ++k) {
    const Ray* ray = cone.rays[k];
    out.rays.push_back(ray->tolerance);
    out.rays.push_back(ray->error);
    out.rays.insert(out.rays.end(), ray->coordinates(), ray->coordinates() + n_coordinates);
  }
  out.masks.assign(cone.masks, cone.masks + static_cast<std::size_t>(cone.n_rays) * cone.words);
  out.used.assign(cone.used, cone.used + cone.words);
  out.slots.assign(cone.slots, cone.slots + cone.n_slots);
  out.list.assign(node.list, node.list + node.n_list);
  out.bits = bits;
  return out;
}

Node restore_subtree(const Subtree& subtree, Arena& arena) {
  Node node;
  Cone& cone = node.cone;
  cone.n_rays = static_cast<std::uint32_t>(subtree.n_rays());
  cone.n_slots = subtree.n_slots;
  cone.words = subtree.words;
  cone.rays = arena.allocate<Ray*>(cone.n_rays);
  const double* from = subtree.rays.data();
  for (std::uint32_t k = 0; k < cone.n_rays; ++k) {
    auto* ray = static_cast<Ray*>(arena.bytes(sizeof(Ray) + sizeof(double) * subtree.n_coordinates));
    ray->tolerance = *from++;
    ray->error = *from++;
    ray->exact = -1;
    std::copy_n(from, subtree.n_coordinates, ray->coordinates());
    from += subtree.n_coordinates;
    cone.rays[k] = ray;
  }
  const auto copy = [&arena]<class T>(const std::vector<T>& source) {
    T* to = arena.allocate<T>(source.size());
    std::copy(source.begin(), source.end(), to);
    return to;
  };
  cone.masks = copy(subtree.masks);
  cone.used = copy(subtree.used);
  cone.slots = copy(subtree.slots);
  node.list = copy(subtree.list);
  node.n_list = static_cast<std::uint32_t>(subtree.list.size());
  node.mark = arena.mark();
  return node;
}

std::vector<double> Plan::weights() const {
  std::vector<double> out;
  out.reserve(tasks.size());
  for (const Task& task : tasks) out.push_back(task.weight);
  return out;
}

Plan make_plan(const Arrangement& arrangement, Control& control, const ProgressHook& hook, const PlanSize& size) {
  const int r = arrangement.rank();
  if (r > 63) throw CellLimit(std::uint64_t{1} << 63);
  const std::uint64_t n_roots = std::uint64_t{1} << (r - 1);
  Plan plan;
  const double most = static_cast<double>(n_roots) * most_cells(static_cast<double>(arrangement.size()), r);
  const bool many_roots = static_cast<double>(n_roots) > size.n_tasks;
  if (many_roots || most < size.one_task) {
    plan_root_ranges(plan, n_roots, size.n_tasks);
    if (!many_roots) {  // one task
      Task all;
      all.n_roots = n_roots;
      all.weight = 1;
      plan.tasks.clear();
      plan.tasks.push_back(std::move(all));
      plan.shape.assign(1, Plan::Mark::task);
    }
  } else {
    const auto subtrees = [&]<int R>() { plan_subtrees<R>(arrangement, control, n_roots, size, plan); };
    const ProgressHook before = [&hook](double, std::uint64_t) {
      if (hook) hook(0, 0);
    };
    // On a thread of its own, so that the hook is heard: at high rank cones take long to cut.
    run_tasks(std::array{1.0}, 1, control, before, [&](std::size_t, unsigned) { dispatch_rank(r, subtrees); });
  }
  return plan;
}

}  // namespace topes
