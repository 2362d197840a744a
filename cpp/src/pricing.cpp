#include "topes/pricing.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <string>
#include <type_traits>

#include "topes/error.hpp"
#include "topes/price_search.hpp"

namespace topes {

namespace {

constexpr std::size_t kArenaBytes = std::size_t{1} << 22;
constexpr std::size_t kTasks = 16;  // shares of the search, whatever the number of threads

void check_dimension(std::size_t r) {
  if (r < 1 || r > static_cast<std::size_t>(kLargestPricingDimension)) {
    throw InvalidArgument("pricing needs a dimension from 1 to " + std::to_string(kLargestPricingDimension) + ", got " +
                          std::to_string(r));
  }
}

void check(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts) {
  const std::size_t r = space.dimension;
  check_dimension(r);
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
void append(const Tasks<R>& tasks, std::size_t level, std::size_t index, const std::vector<PieceResult>& parts, std::size_t searches,
            std::size_t search, PricingCover& out) {
  if (level < tasks.edges.size()) {
    out.split.push_back(static_cast<std::uint8_t>(1 + tasks.edges[level][index]));
    out.depth.push_back(static_cast<std::uint16_t>(level));
    for (std::size_t k = 0; k < 2; ++k) append(tasks, level + 1, 2 * index + k, parts, searches, search, out);
    return;
  }
  const PricingCover& part = parts[index * searches + search].cover;
  for (const std::uint32_t leaf : part.slope_leaf) out.slope_leaf.push_back(static_cast<std::uint32_t>(out.n_leaves) + leaf);
  out.n_leaves += part.n_leaves;
  const auto extend = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  extend(out.split, part.split);
  extend(out.depth, part.depth);
  extend(out.c, part.c);
  extend(out.slope_row, part.slope_row);
  extend(out.slope, part.slope);
}

// Best first; of equals the first ones.
void keep_best(std::vector<PricedDirection>& all, std::size_t n_best) {
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.value > b.value; });
  if (all.size() > n_best) all.resize(n_best);
}

// One wave: the search of some parts on threads, each from the same incumbent, so that no part depends on another.
template <int R>
class Search {
 public:
  Search(const PricingSpace& space, const PricingWeights& weights, const PricingOptions& options)
      : options_(options),
        scalar_(weights.outputs == 1),
        searches_(scalar_ ? 2 : 1),
        tasks_(make_tasks<R>(space.ball, searches_)),
        shared_{space,
                weights,
                options,
                control_,
                std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                       std::chrono::duration<double>(std::clamp(options.max_seconds, 0.0, 1e9))),
                rounding_of(space, weights)} {}

  std::size_t n_parts() const { return tasks_.cones.size() * searches_; }
  bool late() const { return std::chrono::steady_clock::now() > shared_.deadline; }

  /// A good price, the same whoever works.
  double dive(double incumbent) {
    std::vector<PricingPiece> parts(n_parts());
    for (std::size_t k = 0; k < parts.size(); ++k) parts[k].part = k;
    std::vector<double> out(parts.size());
    for_each({std::move(parts), incumbent}, [&](std::size_t k, const auto& cone, auto&& searcher) {
      searcher.dive(cone);
      out[k] = searcher.best();
    });
    return *std::max_element(out.begin(), out.end());
  }

  std::vector<PieceResult> search(const PricingWave& wave) {
    std::vector<PieceResult> out(wave.pieces.size());
    for_each(wave, [&](std::size_t k, const auto& cone, auto&& searcher) {
      const PricingPiece& piece = wave.pieces[k];
      if (options_.record) {
        searcher.search_recorded(cone, piece.max_nodes, static_cast<std::uint16_t>(tasks_.edges.size()), out[k].cover);
      } else {
        searcher.search(cone, piece, options_.slice);
      }
      out[k].upper = searcher.upper();
      out[k].best = searcher.best();
      out[k].complete = searcher.complete();
      out[k].late = searcher.late();
      out[k].nodes = searcher.nodes();
      out[k].directions = std::move(searcher.directions());
      out[k].open = std::move(searcher.open());
      std::erase_if(out[k].directions, [&](const PricedDirection& d) { return d.value <= options_.floor; });
      if (out[k].directions.size() > options_.n_best) keep_best(out[k].directions, options_.n_best);
    });
    return out;
  }

  /// The covers of all parts as trees of the fan, those for the price first.
  PricingCover joined(const std::vector<PieceResult>& parts) const {
    PricingCover out;
    const std::size_t fan = tasks_.cones.size() >> tasks_.edges.size();
    for (std::size_t search = 0; search < searches_; ++search) {
      for (std::size_t k = 0; k < fan; ++k) append(tasks_, 0, k, parts, searches_, search, out);
    }
    return out;
  }

 private:
  template <class Work>
  void for_each(const PricingWave& wave, Work&& work) {
    shared_.incumbent = wave.incumbent;
    const std::size_t n = wave.pieces.size();
    while (arenas_.size() < std::min<std::size_t>(thread_count(options_.n_threads), n)) arenas_.emplace_back(kArenaBytes);
    run_tasks(std::vector<double>(n, 1.0), options_.n_threads, control_, options_.hook, [&](std::size_t k, unsigned thread) {
      const PricingPiece& piece = wave.pieces[k];
      const SimplicialCone<R> cone = follow(tasks_.cones[piece.part / searches_], piece.cone.path);
      if (scalar_) {
        work(k, cone, PriceSearch<R, true>(shared_, piece.part % 2 == 1 ? -1 : 1, arenas_[thread]));
      } else {
        work(k, cone, PriceSearch<R, false>(shared_, 1, arenas_[thread]));
      }
    });
  }

  const PricingOptions& options_;
  bool scalar_;
  std::size_t searches_;
  Tasks<R> tasks_;
  Control control_;
  PriceShared shared_;
  std::vector<Arena> arenas_;
};

// The starts, priced; the largest of these prices goes into best.
template <int R>
std::vector<PricedDirection> price_starts(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts,
                                          double floor, double& best) {
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
    best = std::max(best, value);
    if (value <= floor) continue;
    PricedDirection d{std::vector<double>(w, w + R), value, weights.outputs == 1 && out[0] < 0 ? -1 : 1};
    for (double& x : d.w) x /= size;
    all.push_back(std::move(d));
  }
  return all;
}

// Searches parts to their end, wave by wave: what the pieces of one leave open are the pieces of the next.
template <int R>
class Waves {
 public:
  Waves(Search<R>& here, const PieceSearch& elsewhere, double incumbent)
      : here_(here), elsewhere_(elsewhere), incumbent_(incumbent) {}

  /// Each of these parts with so many cones at most. What is known of them is forgotten, but for bounds.
  void search(const std::vector<std::size_t>& open, std::uint64_t max_nodes, std::vector<PieceResult>& parts) {
    PricingWave wave;
    std::vector<double> known(parts.size(), INFINITY);
    for (const std::size_t k : open) {
      if (parts[k].nodes > 0) known[k] = parts[k].upper;  // a second search that the clock cuts short may bound its part less well
      parts[k] = {};
      wave.pieces.push_back({k, {{}, INFINITY}, max_nodes});
    }
    while (!wave.pieces.empty()) {
      wave.incumbent = incumbent_;
      std::vector<PieceResult> found = elsewhere_ ? elsewhere_(wave) : here_.search(wave);
      if (found.size() != wave.pieces.size()) throw InvalidArgument("pricing: the pieces that came back are not those asked for");
      std::vector<PricingPiece> next;
      for (std::size_t k = 0; k < found.size(); ++k) {
        const std::size_t part = wave.pieces[k].part;
        add(found[k], parts[part]);
        for (OpenCone& cone : found[k].open) next.push_back({part, std::move(cone), 0});
      }
      std::vector<std::uint64_t> n_open(parts.size());
      for (const PricingPiece& piece : next) ++n_open[piece.part];
      for (PricingPiece& piece : next) {
        const std::uint64_t spent = std::min(parts[piece.part].nodes, max_nodes);
        piece.max_nodes = max_nodes == ~std::uint64_t{0} ? max_nodes : (max_nodes - spent) / n_open[piece.part];
      }
      wave.pieces = std::move(next);
    }
    for (const std::size_t k : open) parts[k].upper = std::min(parts[k].upper, known[k]);
  }

  double incumbent() const { return incumbent_; }

 private:
  void add(PieceResult& piece, PieceResult& part) {
    if (!(piece.upper >= 0)) throw InvalidArgument("pricing: a piece came back without a bound");
    incumbent_ = std::max(incumbent_, piece.best);
    part.upper = std::max(part.upper, piece.upper);
    part.best = std::max(part.best, piece.best);
    part.complete = part.complete && piece.complete;
    part.nodes += piece.nodes;
    std::move(piece.directions.begin(), piece.directions.end(), std::back_inserter(part.directions));
    if (part.cover.split.empty()) part.cover = std::move(piece.cover);  // recorded searches leave nothing open
  }

  Search<R>& here_;
  const PieceSearch& elsewhere_;
  double incumbent_;
};

template <int R>
PricingResult search(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts,
                     const PricingOptions& options, const PieceSearch& elsewhere) {
  PricingResult result;
  Search<R> here(space, weights, options);
  const std::size_t n_parts = here.n_parts();
  std::vector<PricedDirection> all = price_starts<R>(space, weights, starts, options.floor, result.best);
  // A good price first, the same for all parts: what prunes them must not depend on their timing.
  result.best = std::max(result.best, here.dive(result.best));

  Waves<R> waves(here, elsewhere, result.best);
  std::vector<PieceResult> parts(n_parts);
  std::vector<std::size_t> open(n_parts);
  std::iota(open.begin(), open.end(), std::size_t{0});
  const std::uint64_t no_limit = ~std::uint64_t{0};
  std::uint64_t each = options.max_nodes == no_limit ? no_limit : std::max<std::uint64_t>(1, options.max_nodes / n_parts);
  waves.search(open, each, parts);
  while (options.reallot && !options.record) {
    std::uint64_t spent = 0;
    open.clear();
    for (std::size_t part = 0; part < n_parts; ++part) {
      if (parts[part].complete) {
        spent += parts[part].nodes;
      } else {
        open.push_back(part);
      }
    }
    if (open.empty() || spent >= options.max_nodes || here.late()) break;
    const std::uint64_t more = (options.max_nodes - spent) / open.size();
    if (more < 2 * each) break;  // not worth beginning again
    for (const std::size_t part : open) result.nodes += parts[part].nodes;
    each = more;
    waves.search(open, each, parts);
  }
  for (PieceResult& part : parts) {
    result.upper = std::max(result.upper, part.upper);
    result.best = std::max(result.best, part.best);
    result.complete = result.complete && part.complete;
    result.nodes += part.nodes;
    std::move(part.directions.begin(), part.directions.end(), std::back_inserter(all));
  }
  if (options.record) result.cover = here.joined(parts);
  keep_best(all, options.n_best);
  result.directions = std::move(all);
  return result;
}

// f with the dimension as a constant.
template <class F>
auto with_dimension(std::size_t dimension, F&& f) {
  switch (dimension) {
    case 1: return f(std::integral_constant<int, 1>());
    case 2: return f(std::integral_constant<int, 2>());
    case 3: return f(std::integral_constant<int, 3>());
    case 4: return f(std::integral_constant<int, 4>());
    case 5: return f(std::integral_constant<int, 5>());
    case 6: return f(std::integral_constant<int, 6>());
    case 7: return f(std::integral_constant<int, 7>());
    default: return f(std::integral_constant<int, 8>());
  }
}

}  // namespace

PricingResult price(const PricingSpace& space, const PricingWeights& weights, std::span<const double> starts,
                    const PricingOptions& options, const PieceSearch& elsewhere) {
  check(space, weights, starts);
  return with_dimension(space.dimension, [&](auto r) { return search<decltype(r)::value>(space, weights, starts, options, elsewhere); });
}

std::vector<PieceResult> search_pieces(const PricingSpace& space, const PricingWeights& weights, const PricingOptions& options,
                                       const PricingWave& wave) {
  check(space, weights, {});
  return with_dimension(space.dimension, [&](auto r) {
    Search<decltype(r)::value> here(space, weights, options);
    for (const PricingPiece& piece : wave.pieces) {
      if (piece.part >= here.n_parts()) throw InvalidArgument("pricing: there is no part " + std::to_string(piece.part));
    }
    return here.search(wave);
  });
}

std::vector<double> part_vertices(const PricingSpace& space, std::size_t outputs) {
  check_dimension(space.dimension);
  return with_dimension(space.dimension, [&](auto r) {
    std::vector<double> out;
    const std::size_t searches = outputs == 1 ? 2 : 1;
    for (const auto& cone : make_tasks<decltype(r)::value>(space.ball, searches).cones) {
      for (std::size_t search = 0; search < searches; ++search) {
        for (const auto& vertex : cone.vertex) out.insert(out.end(), vertex.begin(), vertex.end());
      }
    }
    return out;
  });
}

}  // namespace topes
