#include "topes/pricing.hpp"

#include <cmath>
#include <numeric>
#include <string>

#include "topes/error.hpp"
#include "topes/price_search.hpp"

namespace topes {

namespace {

constexpr std::size_t kArenaBytes = std::size_t{1} << 22;
constexpr std::size_t kTasks = 16;  // shares of the search, whatever the number of threads

void check(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts) {
  const std::size_t r = space.dimension;
  if (r < 1 || r > static_cast<std::size_t>(kLargestPricingDimension)) {
    throw InvalidArgument("pricing needs a dimension from 1 to " + std::to_string(kLargestPricingDimension) + ", got " +
                          std::to_string(r));
  }
  const std::size_t m = space.size();
  const bool fits = space.normals.size() == m * r && (!round(space.ball) || space.scale.size() == r) &&
                    weights.outputs >= 1 && weights.bend.size() == m * weights.outputs &&
                    weights.linear.size() == weights.outputs * r && starts.size() % r == 0;
  if (!fits) throw InvalidArgument("pricing: the arrays do not fit each other");
}

// Phi at one point, every hyperplane looked at. C numbers into out.
void evaluate(const PricingSpace& space, const PricingWeights& weights, const double* w, double* out) {
  const std::size_t r = space.dimension;
  const std::size_t outputs = weights.outputs;
  for (std::size_t c = 0; c < outputs; ++c) {
    out[c] = 0;
    for (std::size_t i = 0; i < r; ++i) out[c] += weights.linear[c * r + i] * w[i];
  }
  for (std::size_t k = 0; k < space.size(); ++k) {
    double h = 0;
    for (std::size_t i = 0; i < r; ++i) h += space.normals[k * r + i] * w[i];
    if (h <= 0) continue;
    for (std::size_t c = 0; c < outputs; ++c) out[c] += weights.bend[k * outputs + c] * h;
  }
}

double norm_of(const PricingSpace& space, const double* w) {
  double sum = 0;
  const std::size_t last = space.dimension - 1;
  for (std::size_t i = 0; i < space.dimension; ++i) {
    switch (space.ball) {
      case Ball::euclidean: sum += (w[i] / space.scale[i]) * (w[i] / space.scale[i]); break;
      case Ball::cylinder: sum += i == last ? 0.0 : (w[i] / space.scale[i]) * (w[i] / space.scale[i]); break;
      case Ball::cross: sum += std::abs(w[i]); break;
      case Ball::cube: sum = std::max(sum, std::abs(w[i])); break;
      case Ball::prism: sum = i == last ? std::max(sum, std::abs(w[i])) : sum + std::abs(w[i]); break;
    }
  }
  if (space.ball == Ball::cylinder) return std::max(std::sqrt(sum), std::abs(w[last]));
  return space.ball == Ball::euclidean ? std::sqrt(sum) : sum;
}

// The error of Phi at a vertex, in every component together. A sum of m + R terms whose factors carry at most kMostBits + R
// roundings; a vertex has entries of at most 1.
double rounding_of(const PricingSpace& space, const PricingWeights& weights) {
  const std::size_t r = space.dimension;
  double total = 0;
  for (std::size_t k = 0; k < space.size(); ++k) {
    double size = 0;
    for (std::size_t i = 0; i < r; ++i) size += std::abs(space.normals[k * r + i]);
    double weight = 0;
    for (std::size_t c = 0; c < weights.outputs; ++c) weight += std::abs(weights.bend[k * weights.outputs + c]);
    total += weight * size;
  }
  for (const double b : weights.linear) total += std::abs(b);
  const auto terms = static_cast<double>(space.size() + 2 * r + static_cast<std::size_t>(kMostBits) + 16);
  return 2.0 * terms * kRoundoff * total;
}

template <int R>
struct Tasks {
  std::vector<SimplicialCone<R>> cones;
  std::vector<std::vector<std::uint8_t>> edges;  // for each round of halving, the edge of each cone
};

template <int R>
Tasks<R> make_tasks(Ball ball, std::size_t searches) {
  Tasks<R> tasks;
  std::vector<SimplicialCone<R>>& cones = tasks.cones;
  cones = make_fan<R>(ball == Ball::cube ? Fan::cube : ball == Ball::prism ? Fan::prism : Fan::cross);
  while (R > 1 && cones.size() * searches < kTasks) {
    std::vector<SimplicialCone<R>> halves;
    std::vector<std::uint8_t>& edges = tasks.edges.emplace_back();
    for (const auto& cone : cones) {
      std::size_t a = 0;
      std::size_t b = 1;
      double longest = -1;
      for (std::size_t i = 0; i < R; ++i) {
        for (std::size_t j = i + 1; j < R; ++j) {
          double squares = 0;
          for (std::size_t k = 0; k < R; ++k) squares += std::pow(cone.vertex[i][k] - cone.vertex[j][k], 2);
          if (squares > longest) {
            longest = squares;
            a = i;
            b = j;
          }
        }
      }
      edges.push_back(static_cast<std::uint8_t>(edge_number<R>(a, b)));
      halves.push_back(half(cone, a, b));
      halves.push_back(half(cone, b, a));
    }
    cones = std::move(halves);
  }
  return tasks;
}

// Append the tree of cone `index` of round `level` of the halving: its own cut and those of its tasks.
template <int R>
void append(const Tasks<R>& tasks, std::size_t level, std::size_t index, const std::vector<PricingCover>& parts, std::size_t searches,
            std::size_t search, PricingCover& out) {
  if (level < tasks.edges.size()) {
    out.split.push_back(static_cast<std::uint8_t>(1 + tasks.edges[level][index]));
    out.depth.push_back(static_cast<std::uint16_t>(level));
    for (std::size_t k = 0; k < 2; ++k) append(tasks, level + 1, 2 * index + k, parts, searches, search, out);
    return;
  }
  const PricingCover& part = parts[index * searches + search];
  for (const std::uint32_t leaf : part.slope_leaf) out.slope_leaf.push_back(static_cast<std::uint32_t>(out.n_leaves) + leaf);
  out.n_leaves += part.n_leaves;
  const auto extend = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  extend(out.split, part.split);
  extend(out.depth, part.depth);
  extend(out.c, part.c);
  extend(out.slope_row, part.slope_row);
  extend(out.slope, part.slope);
}

template <int R>
PricingResult search(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts,
                     const PricingOptions& options) {
  PricingResult result;
  const bool scalar = weights.outputs == 1;
  const std::size_t searches = scalar ? 2 : 1;
  const Tasks<R> tasks = make_tasks<R>(space.ball, searches);
  const auto& cones = tasks.cones;
  const std::size_t n_tasks = cones.size() * searches;

  std::vector<PricedDirection> all;
  std::vector<double> out(weights.outputs);
  for (std::size_t s = 0; s < starts.size() / R; ++s) {
    const double* w = starts.data() + s * R;
    const double size = norm_of(space, w);
    if (!(size > 0) || !std::isfinite(size)) continue;
    evaluate(space, weights, w, out.data());
    double squares = 0;
    for (const double x : out) squares += x * x;
    const double value = std::sqrt(squares) / size;
    result.best = std::max(result.best, value);
    if (value <= options.floor) continue;
    PricedDirection d{std::vector<double>(w, w + R), value, scalar && out[0] < 0 ? -1 : 1};
    for (double& x : d.w) x /= size;
    all.push_back(std::move(d));
  }

  Control control;
  PriceShared shared{space,
                     weights,
                     options,
                     control,
                     std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                            std::chrono::duration<double>(std::min(options.max_seconds, 1e9))),
                     rounding_of(space, weights),
                     result.best,
                     std::max<std::uint64_t>(1, options.max_nodes / n_tasks)};
  std::vector<PricingResult> parts(n_tasks);
  std::vector<Arena> arenas;
  for (std::size_t t = 0; t < std::min<std::size_t>(thread_count(options.n_threads), n_tasks); ++t) arenas.emplace_back(kArenaBytes);
  std::vector<std::size_t> open(n_tasks);
  std::iota(open.begin(), open.end(), std::size_t{0});
  const auto for_each_task = [&](const auto& work) {
    run_tasks(std::vector<double>(open.size(), 1.0), options.n_threads, control, options.hook, [&](std::size_t k, unsigned thread) {
      const std::size_t task = open[k];
      const SimplicialCone<R>& cone = cones[task / searches];
      if (scalar) {
        work(task, cone, PriceSearch<R, true>(shared, task % 2 == 1 ? -1 : 1, arenas[thread]));
      } else {
        work(task, cone, PriceSearch<R, false>(shared, 1, arenas[thread]));
      }
    });
  };
  // A good price first, the same for all tasks: what prunes them must not depend on their timing.
  std::vector<double> dives(n_tasks);
  for_each_task([&](std::size_t task, const auto& cone, auto&& searcher) {
    searcher.dive(cone);
    dives[task] = searcher.best();
  });
  shared.incumbent = result.best = std::max(result.best, *std::max_element(dives.begin(), dives.end()));
  std::vector<PricingCover> covers(options.record ? n_tasks : 0);
  for (PricingResult& part : parts) part.upper = INFINITY;
  const auto search_open = [&] {
    for_each_task([&](std::size_t task, const auto& cone, auto&& searcher) {
      if (options.record) {
        searcher.search_recorded(cone, static_cast<std::uint16_t>(tasks.edges.size()), covers[task]);
      } else {
        searcher.search(cone);
      }
      // A second search that the clock cuts short may bound its part less well than the first.
      parts[task] = {std::min(parts[task].upper, searcher.upper()), searcher.best(), searcher.complete(), searcher.nodes(),
                     std::move(searcher.directions()), {}};
    });
  };
  search_open();
  while (options.reallot && !options.record) {
    std::uint64_t spent = 0;
    open.clear();
    for (std::size_t task = 0; task < n_tasks; ++task) {
      shared.incumbent = std::max(shared.incumbent, parts[task].best);
      if (parts[task].complete) {
        spent += parts[task].nodes;
      } else {
        open.push_back(task);
      }
    }
    if (open.empty() || spent >= options.max_nodes || std::chrono::steady_clock::now() > shared.deadline) break;
    const std::uint64_t each = (options.max_nodes - spent) / open.size();
    if (each < 2 * shared.max_nodes) break;  // not worth beginning again
    for (const std::size_t task : open) result.nodes += parts[task].nodes;
    shared.max_nodes = each;
    search_open();
  }
  for (PricingResult& part : parts) {
    result.upper = std::max(result.upper, part.upper);
    result.best = std::max(result.best, part.best);
    result.complete = result.complete && part.complete;
    result.nodes += part.nodes;
    for (PricedDirection& d : part.directions) {
      if (d.value > options.floor) all.push_back(std::move(d));
    }
  }
  if (options.record) {
    const std::size_t fan = cones.size() >> tasks.edges.size();
    for (std::size_t search = 0; search < searches; ++search) {
      for (std::size_t k = 0; k < fan; ++k) append(tasks, 0, k, covers, searches, search, result.cover);
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.value > b.value; });
  if (all.size() > options.n_best) all.resize(options.n_best);
  result.directions = std::move(all);
  return result;
}

}  // namespace

PricingResult price(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts,
                    const PricingOptions& options) {
  check(space, weights, starts);
  switch (space.dimension) {
    case 1: return search<1>(space, weights, starts, options);
    case 2: return search<2>(space, weights, starts, options);
    case 3: return search<3>(space, weights, starts, options);
    case 4: return search<4>(space, weights, starts, options);
    case 5: return search<5>(space, weights, starts, options);
    case 6: return search<6>(space, weights, starts, options);
    case 7: return search<7>(space, weights, starts, options);
    default: return search<8>(space, weights, starts, options);
  }
}

}  // namespace topes
